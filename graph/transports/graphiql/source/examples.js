// The operations that the docs offer, each with its comment. The build puts their files into one beside the page.
import { Kind, parse, print } from 'graphql'

const ADDRESS = `${import.meta.env.BASE_URL}examples.json`
const COLUMNS = 56 // of the editor on a small screen

// What is no example's own to say: the first values of required variables.
const VALUES = {
  '$url: String!': 'https://example.com/',
  '$workspace: String!': 'default',
  '$email: String!': 'ann@example.com',
  '$role: Role!': 'VIEWER',
  '$expiresAt: DateTime!': new Date(Date.now() + 90 * 24 * 3_600_000).toISOString(),
}

/** One group a file; an operation is `{ name, kind, about, query, variables }`. None without the file: the page works. */
export async function readExamples() {
  try {
    const response = await fetch(ADDRESS, { cache: 'no-cache' })
    return Object.entries(await response.json()).map(([name, text]) => ({ title: title(name), operations: operations(text) }))
  } catch {
    return []
  }
}

function title(name) {
  const words = name.replace('.graphql', '').replaceAll('_', ' ').replace(/\b(api|url)\b/, (word) => word.toUpperCase())
  return words[0].toUpperCase() + words.slice(1)
}

function operations(text) {
  const { definitions } = parse(text)
  const fragments = definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map(({ loc }) => `\n${slice(text, loc)}\n`)
  return definitions.flatMap(({ kind, operation, name, variableDefinitions, loc }, place) => {
    if (kind !== Kind.OPERATION_DEFINITION) return []
    const comment = text.slice(definitions[place - 1]?.loc.end ?? 0, loc.start)
    const about = comment.replace(/^#/gm, '').replace(/\s+/g, ' ').trim()
    return {
      name: name.value,
      kind: operation,
      about,
      query: `${wrapped(about)}${slice(text, loc)}\n${fragments.join('')}`,
      variables: variables(variableDefinitions),
    }
  })
}

function wrapped(about) {
  return about.replace(new RegExp(`(.{1,${COLUMNS}})(?: |$)`, 'g'), '# $1\n')
}

function slice(text, { start, end }) {
  return text.slice(start, end)
}

function variables(definitions) {
  const required = definitions.filter(({ type }) => type.kind === Kind.NON_NULL_TYPE).map((definition) => [
    definition.variable.name.value,
    VALUES[print(definition)] ?? '',
  ])
  return required.length ? JSON.stringify(Object.fromEntries(required), null, 2) : ''
}
