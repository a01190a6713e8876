// What every client asks.
import { readFileSync } from 'node:fs'

const read = (name) => readFileSync(new URL(`operations/${name}.graphql`, import.meta.url), 'utf8')

export const [VIEWER, ASK, WATCH, FOLLOW] = ['viewer', 'ask', 'watch', 'follow'].map(read)

// No audit has it.
export const NOWHERE = 'audit_00000000000000000000000000000000'

// A result without what it cost, which differs from one time to the next.
export const uncosted = ({ extensions, ...result }) => result
