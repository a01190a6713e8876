// A WebSocket that hands over one message at a time, as browsers do. With two in one turn of the loop graphql-ws counts an
// operation twice that is left at its last result, and then closes the socket under another's feet.
import WebSocket from 'ws'

export default class extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { allowSynchronousEvents: false })
  }
}
