// Why there is no documentation and no completion, when the schema could not be read.
import { pick, useGraphiQL } from '@graphiql/react'

export function Notice({ signedIn }) {
  const { fetchError } = useGraphiQL(pick('fetchError'))
  if (!fetchError) return null
  return (
    <p className="notice" role="alert">
      {explain(errorsOf(fetchError), signedIn)}
    </p>
  )
}

function explain(errors, signedIn) {
  const codes = errors.map((error) => error.extensions?.code)
  if (codes.includes('UNAUTHENTICATED')) {
    return signedIn
      ? 'The server refused this key or token, so its schema is not shown here. Paste another, or forget this one.'
      : 'The server shows its schema to those who are signed in: sign in above, or paste an API key or a token.'
  }
  const message = errors[0]?.message ?? 'The server answered something else.'
  if (codes.includes('INTROSPECTION_DISABLED')) {
    return `${message} Without it there is no documentation and no completion; operations run as ever.`
  }
  return `The schema could not be read. ${message}`
}

/** GraphiQL hands over an answer, or an error in the same form, as text. */
function errorsOf(text) {
  try {
    return JSON.parse(text).errors ?? []
  } catch {
    return [{ message: text }]
  }
}
