// Drives GraphiQL in headless Chromium as a newcomer would, every other host cut off; prints what it saw as JSON.
//
//   node graphiql.mjs 'http://127.0.0.1:8000/graphql#key=pmk_…' --screenshot answer.png [--audit URL] [--scheme dark]
//
// It runs the starter query, an example from the menu and an answer that comes in parts, audits the URL (else the
// starter's own), follows that audit to its end and the workspace while another is requested, both over each transport,
// reads the documentation and the history, comes back, and is refused with a token and without one.
// It exits with 1, and a sentence on standard error, when something is not as it should be.
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import * as graphiql from './page.mjs'
import { NARROW, TRANSPORTS, WIDE } from './page.mjs'

const TOKEN = 'eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmVkLWJ5LW5vYm9keQ'
const SECRET = 'told-in-a-header'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    screenshot: { type: 'string' },
    audit: { type: 'string' },
    scheme: { type: 'string', default: 'light' },
  },
})

async function main() {
  const address = new URL(positionals[0])
  const browser = await graphiql.launch()
  try {
    const page = await browser.newPage({ colorScheme: values.scheme, viewport: WIDE })
    const seen = graphiql.listen(page, address.origin)
    Object.assign(seen, await visit(page, address))
    assert.deepEqual(seen.requestsElsewhere, [], 'the page asked another host')
    assert.deepEqual(seen.errors, [], 'the page had errors')
    return { ...seen, ...(await beRefused(page, seen)) }
  } finally {
    await browser.close()
  }
}

async function visit(page, address) {
  await page.goto(address.href)
  const standing = await graphiql.standing(page)
  assert.match(standing, /^Signed in with key /)
  assert.equal(await page.evaluate(() => location.hash), '', 'the key is still in the address')
  await graphiql.ready(page)
  const [answer] = await graphiql.run(page)
  assert.ok(answer.data?.viewer && !answer.errors, `the starter query failed: ${JSON.stringify(answer)}`)
  if (values.screenshot) await page.screenshot({ path: values.screenshot })
  const example = await runExample(page)
  const deferred = await runDeferred(page)
  const audit = await requestAudit(page)
  await graphiql.openTab(page, 'WatchIt')
  await graphiql.setText(page, 'variables.json', JSON.stringify({ audit: audit.id }))
  const progress = {}
  for (const transport of TRANSPORTS) progress[transport] = await follow(page, transport)
  const kinds = await followWorkspace(page)
  const documentation = await readDocumentation(page)
  const history = await readHistory(page)
  await comeBack(page)
  await lookNarrow(page)
  return { title: await page.title(), standing, answer, example, deferred, audit, progress, kinds, documentation, history }
}

/** From the menu into a fourth tab, with a header of its own; the first tab keeps its text and its answer. */
async function runExample(page) {
  const first = await graphiql.text(page, 'operation.graphql')
  await fitMenu(page)
  await graphiql.openExample(page, 'DeadJobs')
  assert.deepEqual(await graphiql.tabs(page), ['FirstAnswer', 'AuditUrl', 'WatchIt', 'DeadJobs'])
  await graphiql.setText(page, 'request-headers.json', JSON.stringify({ 'X-Secret': SECRET }))
  const [answer] = await graphiql.run(page)
  await graphiql.openTab(page, 'FirstAnswer')
  assert.equal(await graphiql.text(page, 'operation.graphql'), first, 'the first tab lost its text')
  assert.match(await graphiql.text(page, 'response.json'), /"viewer"/, 'the first tab lost its answer')
  return answer
}

/** However many examples there are, none of them stands beside the menu or the screen. */
async function fitMenu(page) {
  for (const viewport of [NARROW, WIDE]) {
    await page.setViewportSize(viewport)
    await page.click('text="Examples ▾"')
    await page.waitForSelector('[role=menuitem]')
    const { right, bottom, over } = await page.evaluate(() => {
      const menu = document.querySelector('.examples')
      const { right, bottom } = menu.getBoundingClientRect()
      return { right, bottom, over: menu.scrollWidth - menu.clientWidth }
    })
    assert.ok(right <= viewport.width && bottom <= viewport.height && over === 0, 'the menu does not fit')
    await page.keyboard.press('Escape')
    await page.waitForSelector('[role=menuitem]', { state: 'detached' })
  }
}

/** What was shown with each part of an answer that comes in parts. */
async function runDeferred(page) {
  await page.click('[aria-label="New tab"]')
  const query = 'query Deferred { viewer { ... @defer { workspaces { nodes { slug } } } } }'
  await graphiql.setText(page, 'operation.graphql', query)
  await graphiql.tabNamed(page, 'Deferred')
  return (await graphiql.run(page)).map((answer) => answer.data)
}

async function requestAudit(page) {
  await graphiql.openTab(page, 'AuditUrl')
  if (values.audit) await graphiql.setText(page, 'variables.json', JSON.stringify({ url: values.audit }))
  const [answer] = await graphiql.run(page)
  const audit = answer.data?.auditRequest?.audit
  assert.ok(audit, `no audit was requested: ${JSON.stringify(answer)}`)
  return audit
}

async function follow(page, transport) {
  await page.selectOption('.bar-transport select', transport)
  const events = await graphiql.run(page)
  const failed = events.find((event) => event.errors || !event.data?.auditProgress)
  assert.equal(failed, undefined, `the subscription over ${transport} failed: ${JSON.stringify(failed)}`)
  return events.map((event) => event.data.auditProgress)
}

/** What came over each transport until it was stopped, by the kind of each event. */
async function followWorkspace(page) {
  await graphiql.openExample(page, 'State')
  const [state] = await graphiql.run(page)
  await graphiql.openExample(page, 'Follow')
  await graphiql.setText(page, 'variables.json', JSON.stringify({ workspace: state.data.workspace.id }))
  const kinds = {}
  for (const transport of TRANSPORTS) {
    await page.selectOption('.bar-transport select', transport)
    await graphiql.start(page)
    await graphiql.answered(page, '"live": true')
    await page.evaluate(requestInPage, values.audit)
    await graphiql.answered(page, '"AUDIT_REQUESTED"')
    await graphiql.stop(page)
    kinds[transport] = (await graphiql.answers(page)).map(({ data }) => data.workspaceEvents.kind ?? 'CHECKPOINT')
  }
  return kinds
}

async function requestInPage(url) {
  await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${sessionStorage.getItem('pacemark.key')}` },
    body: JSON.stringify({
      query: 'mutation ($url: String!) { auditRequest(input: { target: { url: $url } }) { __typename } }',
      variables: { url: url ?? 'https://example.com/' },
    }),
  })
}

async function readDocumentation(page) {
  await page.click('[aria-label="Show Documentation Explorer"]')
  await page.click('.graphiql-doc-explorer >> text="Subscription"')
  await page.waitForSelector('.graphiql-doc-explorer-title >> text="Subscription"')
  const text = await page.textContent('.graphiql-doc-explorer-content')
  await page.click('[aria-label="Hide Documentation Explorer"]')
  return text
}

/** What was run, newest first; the oldest is put into the open tab again. */
async function readHistory(page) {
  await page.click('[aria-label="Show History"]')
  const history = await page.locator('.graphiql-history-item-label').allTextContents()
  await page.locator('.graphiql-history-item-label').last().click()
  await graphiql.tabNamed(page, 'FirstAnswer')
  await page.click('[aria-label="Hide History"]')
  return history
}

/** The key, the tabs and the transport are remembered; no header and no key is, but for this browser tab. */
async function comeBack(page) {
  const tabs = await graphiql.tabs(page)
  await graphiql.stored(page, tabs)
  await page.reload()
  assert.match(await graphiql.standing(page), /^Signed in with key /)
  await graphiql.ready(page)
  assert.deepEqual(await graphiql.tabs(page), tabs)
  assert.equal(await page.inputValue('.bar-transport select'), TRANSPORTS.at(-1))
  const kept = await page.evaluate(() => JSON.stringify(localStorage))
  assert.ok(kept.includes('DeadJobs'), 'the history was not kept')
  assert.ok(!kept.includes(SECRET) && !kept.includes('pmk_'), 'a key or a header was kept')
}

/** On a telephone the answer stands below the question, and nothing is wider than the screen. */
async function lookNarrow(page) {
  await page.setViewportSize(NARROW)
  const boxes = ['.bar', '.graphiql-query-editor', '.graphiql-response'].map((part) => page.locator(part).boundingBox())
  const [bar, question, answer] = await Promise.all(boxes)
  assert.ok(bar.y + bar.height <= question.y && question.y + question.height <= answer.y, 'the parts overlap')
  for (const box of [bar, question, answer]) {
    assert.ok(box.x >= 0 && box.x + box.width <= NARROW.width && box.height >= 80, 'a part does not fit on the screen')
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), NARROW.width)
  await page.setViewportSize(WIDE)
}

/** First with a token that is nobody's, then without any. The browser itself puts what is refused on the console. */
async function beRefused(page, seen) {
  await page.fill('.bar-key input', `Bearer ${TOKEN}`)
  await page.click('.bar-key button')
  await page.waitForSelector('.bar-standing[data-standing=refused]')
  const token = { standing: await graphiql.standing(page), notice: await page.textContent('.notice') }
  assert.equal(await page.evaluate(() => sessionStorage.getItem('pacemark.key')), TOKEN)
  assert.ok(!page.url().includes('eyJ'), 'the token is in the address')
  await page.click('text="Forget"')
  await page.waitForSelector('.bar-standing[data-standing=none]')
  await page.waitForFunction((before) => document.querySelector('.notice')?.textContent !== before, token.notice)
  const stranger = { standing: await graphiql.standing(page), notice: await graphiql.notice(page) }
  const refusals = seen.errors.splice(0)
  assert.deepEqual(refusals.filter((text) => !/status of 40[01]/.test(text)), [], 'the page had errors')
  return { token, stranger }
}

try {
  console.log(JSON.stringify(await main()))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
