// Two Vite plugins that write the licence texts of every npm package bundled into the page or its workers.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const TEXTS = /^(licen[cs]e|copying|notice|third-?party-?notices)/i
// These forgot to pack the text of their licence; it is that of their sister package.
const SISTERS = {
  '@graphiql/plugin-doc-explorer': 'graphiql',
  '@graphiql/plugin-history': 'graphiql',
  'react-compiler-runtime': 'react',
  'react-remove-scroll-bar': 'react-remove-scroll',
}
const RULE = '='.repeat(80)

export function licences(fileName) {
  const folders = new Set()
  const collect = (modules) => {
    for (const id of modules) {
      const folder = packageFolder(id)
      if (folder) folders.add(folder)
    }
  }
  const sources = (bundle) => Object.values(bundle).flatMap((file) => file.moduleIds ?? [])
  return {
    // Vite has built the workers, each a bundle of its own, before it generates the page's.
    worker: { name: 'licences:worker', generateBundle: (_, bundle) => collect(sources(bundle)) },
    main: {
      name: 'licences',
      generateBundle(_, bundle) {
        collect(sources(bundle))
        this.emitFile({ type: 'asset', fileName, source: text([...folders]) })
      },
    },
  }
}

function packageFolder(id) {
  const path = id.replace(/^\0/, '').replace(/\?.*$/, '')
  if (!path.includes('/node_modules/')) return null
  for (let folder = dirname(path); !folder.endsWith('/node_modules'); folder = dirname(folder)) {
    // A package.json without a version only marks the module format of a folder inside a package.
    if (existsSync(join(folder, 'package.json')) && manifest(folder).version) return folder
  }
  return null
}

function text(folders) {
  const unique = [...new Set(folders.map(entry))].sort()
  return `The page and its workers bundle these packages:\n\n${RULE}\n${unique.join(`\n\n${RULE}\n`)}\n`
}

function entry(folder) {
  const { name, version, license } = manifest(folder)
  const texts = licenceTexts(SISTERS[name] ? join('node_modules', SISTERS[name]) : folder)
  if (texts.length === 0) throw new Error(`${name} has no text of its licence: see licences.js`)
  return [`${name} ${version} (${license})`, ...texts].join('\n\n')
}

function licenceTexts(folder) {
  const files = readdirSync(folder).filter((file) => TEXTS.test(file)).sort()
  return files.map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
}

const manifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
