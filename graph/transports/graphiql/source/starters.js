// The tabs of the first visit; afterwards GraphiQL keeps the reader's own.
const firstAnswer = `# What you may see, with its newest numbers.
# Press the play button, or Ctrl-Enter.
query FirstAnswer {
  viewer {
    workspaces {
      nodes {
        slug
        name
        sites {
          nodes {
            name
            origin
            pages {
              nodes {
                path
                latestAudit {
                  finishedAt
                  metrics {
                    ttfbMs
                    transferBytes
                    requestCount
                  }
                }
              }
            }
          }
        }
      }
    }
  }
  metrics {
    name
    title
    unit
  }
}
`

const auditUrl = `# Audits the page named in the variables below.
# Copy the audit's id for the tab "WatchIt".
mutation AuditUrl($url: String!) {
  auditRequest(input: { target: { url: $url } }) {
    ... on AuditRequestPayload {
      audit {
        id
        state
      }
    }
    ... on Problem {
      message
      code
    }
  }
}
`

const watchIt = `# Put the id that "AuditUrl" answered
# into the variables below.
subscription WatchIt($audit: ID!) {
  auditProgress(audit: $audit) {
    phase
    run
    runs
    audit {
      state
      metrics {
        ttfbMs
      }
    }
  }
}
`

const variables = (values) => JSON.stringify(values, null, 2)

export const starters = [
  { query: firstAnswer },
  { query: auditUrl, variables: variables({ url: 'https://example.com/' }) },
  { query: watchIt, variables: variables({ audit: '' }) },
]
