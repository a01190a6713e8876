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

const watchIt = `{
  // the id that AuditUrl answered
  "audit": ""
}`

/** An operation of its own and two of the examples. */
export function starters(examples) {
  const example = (name) => examples.flatMap((group) => group.operations).find((operation) => operation.name === name)
  const tabs = [{ query: firstAnswer }, example('AuditUrl'), { ...example('WatchIt'), variables: watchIt }]
  return tabs.filter((tab) => tab?.query).map(({ query, variables }) => ({ query, variables }))
}
