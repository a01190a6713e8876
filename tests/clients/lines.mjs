// How a client's program talks with the test that runs it: one JSON value a line, on standard output and input.
import { createInterface } from 'node:readline'

let lines

export const say = (value) => console.log(JSON.stringify(value))

export const hear = async () => {
  lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  return JSON.parse((await lines.next()).value)
}

// node FILE SCENARIO '{"url": …}' runs one of them; what it returns is said last.
export const play = async (scenarios) => {
  const [name, given] = process.argv.slice(2)
  say((await scenarios[name](JSON.parse(given))) ?? null)
  process.exit(0)
}
