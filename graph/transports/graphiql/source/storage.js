// What GraphiQL remembers between visits: never the request headers, which may hold a key, and no password and no token.
const PREFIX = 'graphiql:'
const VARIABLES = 'graphiql:variables'
const HOLDERS = ['graphiql:queries', 'graphiql:favorites', 'graphiql:tabState'] // of variables, in JSON
const SECRETS = /("\w*(?:password|token)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi

const names = () => Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))

const withoutSecrets = (text) => text.replace(SECRETS, '$1""')

function kept(name, text) {
  if (name === VARIABLES) return withoutSecrets(text)
  if (!HOLDERS.includes(name)) return text
  return JSON.stringify(JSON.parse(text), (key, value) => {
    if (key === 'headers' && value !== null) return undefined
    return key === 'variables' && value ? withoutSecrets(value) : value
  })
}

export const storage = {
  getItem: (name) => localStorage.getItem(name),
  setItem: (name, text) => localStorage.setItem(name, kept(name, text)),
  removeItem: (name) => localStorage.removeItem(name),
  clear: () => names().forEach((name) => localStorage.removeItem(name)),
  get length() {
    return names().length
  },
}
