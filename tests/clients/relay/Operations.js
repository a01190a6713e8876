// Read by Relay's compiler alone, which wants every operation named after its file.
import { graphql } from 'relay-runtime'

graphql`
  query OperationsViewerQuery {
    viewer {
      key {
        name
      }
    }
  }
`

graphql`
  mutation OperationsAskMutation($input: AuditRequestInput!) {
    auditRequest(input: $input) {
      ... on AuditRequestPayload {
        audit {
          id
          state
        }
      }
      ... on Problem {
        message
      }
    }
  }
`

graphql`
  subscription OperationsWatchSubscription($audit: ID!) {
    auditProgress(audit: $audit) {
      phase
      audit {
        id
        state
      }
    }
  }
`
