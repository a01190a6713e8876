// A Vite plugin that puts the docs' examples into one file; its name has no hash, so that nothing else changes with it.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export const examples = (folder, fileName) => ({
  name: 'examples',
  generateBundle() {
    const names = readdirSync(folder).filter((name) => name.endsWith('.graphql')).sort()
    const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
    this.emitFile({ type: 'asset', fileName, source: `${JSON.stringify(texts, null, 2)}\n` })
  },
})
