// The API key or token: handed over in the address's fragment, kept for this browser tab only.
const SLOT = 'pacemark.key'
const TOKEN = /^[A-Za-z0-9._~+/=-]{12,8192}$/ // a bearer token, RFC 6750 section 2.1
const JSON_WEB_TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

export const readKey = () => sessionStorage.getItem(SLOT)

export const forgetKey = () => sessionStorage.removeItem(SLOT)

/** Keeps a key or token that could be one, also when it is copied with its scheme; says whether it did. */
export function keepKey(text) {
  const key = text.trim().replace(/^(authorization:\s*)?bearer\s+/i, '')
  if (!TOKEN.test(key)) return false
  sessionStorage.setItem(SLOT, key)
  return true
}

/** Moves `#key=…` out of the address, so that a copied link or a screenshot does not give it away. */
export function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key')
  if (key === null) return
  history.replaceState(history.state, '', location.pathname + location.search)
  keepKey(key)
}

/** What it is, and as much of it as tells it from another. */
export function describeKey(key) {
  const kind = JSON_WEB_TOKEN.test(key) ? 'token' : 'key'
  return `${kind} ${key.slice(0, 4)}…${key.slice(-4)}`
}
