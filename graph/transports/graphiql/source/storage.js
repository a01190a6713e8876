// What GraphiQL remembers between visits. Its history would keep the request headers too, and with them a key.
const PREFIX = 'graphiql:'
const HISTORIES = ['graphiql:queries', 'graphiql:favorites']

const names = () => Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))

const withoutHeaders = (text) =>
  JSON.stringify(JSON.parse(text), (name, value) => (name === 'headers' ? undefined : value))

export const storage = {
  getItem: (name) => localStorage.getItem(name),
  setItem: (name, text) => localStorage.setItem(name, HISTORIES.includes(name) ? withoutHeaders(text) : text),
  removeItem: (name) => localStorage.removeItem(name),
  clear: () => names().forEach((name) => localStorage.removeItem(name)),
  get length() {
    return names().length
  },
}
