// What can be done with GraphiQL's page, by what is to be seen of it.
import { chromium } from 'playwright-core'

export const WIDE = { width: 1440, height: 900 }
export const NARROW = { width: 375, height: 812 }
export const TRANSPORTS = ['websocket', 'sse', 'multipart']
const ANSWER_TIMEOUT = 60_000
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]

/** A Chromium that finds no other host. */
export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium', args: FLAGS })

/** Collects the console's errors (a breach of the content policy is one) and every request to another origin. */
export function listen(page, origin) {
  const seen = { requestsElsewhere: [], errors: [] }
  const elsewhere = (url) => {
    const { protocol, host } = new URL(url)
    if (!['data:', 'blob:'].includes(protocol) && host !== new URL(origin).host) seen.requestsElsewhere.push(url)
  }
  page.on('request', (request) => elsewhere(request.url()))
  page.on('websocket', (socket) => elsewhere(socket.url()))
  page.on('pageerror', (error) => seen.errors.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && seen.errors.push(message.text()))
  return seen
}

/** The editors of the query, its variables, the headers and the response are there. */
export async function ready(page) {
  await page.waitForFunction(() => globalThis.__MONACO?.editor.getModels().length >= 4)
}

/** What the bar says of the key, once the server has said so. */
export async function standing(page) {
  await page.waitForSelector('.bar-standing:not([data-standing=unknown])')
  return page.textContent('.bar-standing')
}

/** Why the schema is not shown; null where it is. */
export async function notice(page) {
  return (await page.locator('.notice').allTextContents())[0] ?? null
}

export async function tabs(page) {
  return page.locator('.graphiql-tab-button').allTextContents()
}

export async function openTab(page, title) {
  await page.click(`.graphiql-tab >> text="${title}"`)
  await tabNamed(page, title)
}

/** Waits until the open tab has this name, which it gets when its text has been read. */
export async function tabNamed(page, title) {
  await page.waitForSelector(`.graphiql-tab-active >> text="${title}"`)
}

export async function openExample(page, name) {
  await page.click('text="Examples ▾"')
  await page.click(`[role=menuitem] >> text="${name}"`)
  await tabNamed(page, name)
}

export async function text(page, editor) {
  return page.evaluate(
    (name) => globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith(name)).getValue(),
    editor,
  )
}

export async function setText(page, editor, value) {
  await page.evaluate(
    ([name, text]) => globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith(name)).setValue(text),
    [editor, value],
  )
}

/** Waits until GraphiQL has taken in what the editors hold; it does so a tenth of a second late, and stores it then. */
async function settled(page) {
  await page.waitForFunction(() => {
    const text = (name) => globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith(name)).getValue()
    const stored = (name) => localStorage.getItem(`graphiql:${name}`)
    const query = stored('query') ?? text('operation.graphql') // nothing is stored before the first change
    const variables = text('variables.json').replace(/("password":)"[^"]*"/, '$1""') // which is not stored
    return query === text('operation.graphql') && (stored('variables') ?? '') === variables
  })
}

/** Presses play; `answers` gathers what the response pane shows from now on. */
export async function start(page) {
  await page.waitForSelector('.graphiql-execute-button[aria-label^=Execute]')
  await settled(page)
  await page.evaluate(() => {
    const model = globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith('response.json'))
    globalThis.answers = []
    globalThis.listener?.dispose()
    globalThis.listener = model.onDidChangeContent(() => {
      if (model.getValue()) globalThis.answers.push(model.getValue())
    })
  })
  await page.click('.graphiql-execute-button')
}

/** Waits for an answer with this text in it. */
export async function answered(page, part = '') {
  const shown = (text) => globalThis.answers.some((answer) => answer.includes(text))
  try {
    await page.waitForFunction(shown, part, { timeout: ANSWER_TIMEOUT })
  } catch {
    throw new Error(`No answer has ${part} in it: ${JSON.stringify(await answers(page))}`)
  }
}

export async function stop(page) {
  await page.click('.graphiql-execute-button[aria-label^=Stop]')
  await page.waitForSelector('.graphiql-execute-button[aria-label^=Execute]')
}

/** Every answer that the response pane showed. */
export async function answers(page) {
  return (await page.evaluate(() => globalThis.answers)).map((answer) => JSON.parse(answer))
}

/** Presses play, and waits for the end. */
export async function run(page) {
  await start(page)
  await answered(page)
  await page.waitForSelector('.graphiql-execute-button[aria-label^=Execute]', { timeout: ANSWER_TIMEOUT })
  return answers(page)
}

/** Waits until GraphiQL has stored these tabs; it does so half a second late. */
export async function stored(page, titles) {
  await page.waitForFunction((wanted) => {
    const { tabs } = JSON.parse(localStorage.getItem('graphiql:tabState'))
    return JSON.stringify(tabs.map(({ title }) => title)) === wanted
  }, JSON.stringify(titles))
}
