// Ids and cursors as clients see them. A row keeps them so: PostgreSQL takes the 32 digits for a UUID as they are.
import { GraphQLError } from 'graphql'

const SHAPE = /^([a-z]+)_([0-9a-f]{32})$/

export const uuid = (id) => id.slice(id.indexOf('_') + 1)

export function decode (kind, id) {
  const found = SHAPE.exec(id)
  if (found?.[1] === kind) return found[2]
  throw new GraphQLError(found
    ? `This id is of the kind ${found[1]}; here one of the kind ${kind} is needed.`
    : `This is not an id; the one of a thing of this kind looks like ${kind}_018f…, with 32 hex digits.`)
}

export const cursor = (...parts) => Buffer.from(parts.join('\x1f')).toString('base64url')
