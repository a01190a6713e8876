// The API key: handed over in the address's fragment, kept for this browser tab only.
const SLOT = 'pacemark.key'
const TOKEN = /^[A-Za-z0-9._~+/=-]{12,4096}$/ // a bearer token, RFC 6750 section 2.1

export const readKey = () => sessionStorage.getItem(SLOT)

export const forgetKey = () => sessionStorage.removeItem(SLOT)

/** Keeps a key that could be one; says whether it did. */
export function keepKey(text) {
  const key = text.trim()
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

export const maskKey = (key) => `${key.slice(0, 4)}…${key.slice(-4)}`
