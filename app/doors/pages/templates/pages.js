// What the pages at /auth do: each form sends a mutation that any client may send, and shows what is answered.

const DOCUMENTS = {
  viewer: `query Viewer { answer: viewer { user { name email } } }`,
  accountCreate: `mutation SignUp($input: AccountCreateInput!) { answer: accountCreate(input: $input) {
    __typename ... on AccountCreatePayload { email } ... on Problem { message code }
    ... on InvalidInput { fields { path message } } ... on LimitReached { retryAt } } }`,
  emailVerify: `mutation Verify($input: EmailVerifyInput!) { answer: emailVerify(input: $input) {
    __typename ... on Problem { message code } } }`,
  emailVerificationRequest: `mutation MailLink($input: EmailVerificationRequestInput!) {
    answer: emailVerificationRequest(input: $input) {
      __typename ... on EmailVerificationRequestPayload { email } ... on Problem { message code }
      ... on InvalidInput { fields { path message } } ... on LimitReached { retryAt } } }`,
  passwordResetRequest: `mutation Forgot($input: PasswordResetRequestInput!) { answer: passwordResetRequest(input: $input) {
    __typename ... on PasswordResetRequestPayload { email } ... on Problem { message code }
    ... on InvalidInput { fields { path message } } ... on LimitReached { retryAt } } }`,
  passwordReset: `mutation Reset($input: PasswordResetInput!) { answer: passwordReset(input: $input) {
    __typename ... on Problem { message code }
    ... on InvalidInput { fields { path message } } ... on LimitReached { retryAt } } }`,
  sessionCreate: `mutation SignIn($input: SessionCreateInput!) { answer: sessionCreate(input: $input) {
    __typename ... on SessionCreatePayload { user { name email } } ... on Problem { message code }
    ... on InvalidInput { fields { path message } } ... on LimitReached { retryAt } } }`,
  invitationAccept: `mutation Join($input: InvitationAcceptInput!) { answer: invitationAccept(input: $input) {
    __typename ... on InvitationAcceptPayload { workspace { name } } ... on Problem { message code }
    ... on LimitReached { retryAt } } }`,
}
const BROKEN = 'This link is not whole: open it from the mail again.'
const WAITING = 'Where your account waits to be confirmed, a link is mailed to you.'
const PATIENCE_MS = 30_000
const SLOT = 'pacemark.invitation'

const main = document.querySelector('main')
const { token, invitation, to } = takeFromAddress()
let person = {}
let busy = false

/** Secrets leave the address, where they would be seen, copied and remembered; a reload of this tab still has them. */
function takeFromAddress() {
  const given = new URLSearchParams(location.search)
  const kept = history.state ?? {}
  const to = main.dataset.to || kept.to || ''
  const token = given.get('token') ?? kept.token ?? ''
  const state = { to, token, invitation: given.get('invitation') ?? kept.invitation ?? invitationOf(to) }
  if (main.dataset.page === 'invitation') state.invitation = token
  history.replaceState(state, '', location.pathname)
  return state
}

function invitationOf(path) {
  const { pathname, searchParams } = new URL(path || '/', location.origin)
  return pathname === '/auth/invitation' ? (searchParams.get('token') ?? '') : ''
}

// What is begun with, page by page, and what each form does.

const BEGINNINGS = {
  'sign-in': () => meet('in', 'form'),
  'sign-up': () => show(maySignUp() ? 'form' : 'closed'),
  forgot: () => show('form'),
  verify: () => show(token ? 'form' : 'unverified', { message: BROKEN }),
  reset: () => show(token ? 'form' : 'gone', { message: BROKEN }),
  invitation: () => (token ? meet('form', 'stranger') : show('gone', { message: BROKEN })),
}

const ACTIONS = {
  'sign-in': async (input) => {
    const said = await ask('sessionCreate', { ...input, cookies: true })
    main.querySelector('[data-needs=refusal]').hidden = said.code !== 'SIGN_IN_REFUSED'
    person = done(said).user
    return to ? leave(to) : show('in', person)
  },
  unverified: async () => show('unverified', { message: WAITING }, { email: main.querySelector('[name=email]').value }),
  'sign-out': async () => {
    await signOut()
    show('form')
  },
  'sign-up': async (input) => {
    const said = done(await ask('accountCreate', invitation ? { ...input, invitation } : input))
    if (invitation) remember(invitation)
    show('done', said)
  },
  forgot: async (input) => show('done', done(await ask('passwordResetRequest', input))),
  verify: async () => {
    const said = await ask('emailVerify', { token })
    if (said.__typename === 'NotFound') return show('unverified', said)
    done(said)
    show('done')
  },
  'mail-link': async (input) => show('mailed', done(await ask('emailVerificationRequest', input))),
  reset: async (input) => {
    const said = await ask('passwordReset', { ...input, token })
    if (said.__typename === 'NotFound') return show('gone', said)
    done(said)
    show('done')
  },
  join: async () => {
    const said = await ask('invitationAccept', { token })
    if (said.code === 'NOT_SIGNED_IN') return show('stranger')
    if (said.__typename === 'NotAllowed') return show('other')
    if (said.__typename === 'NotFound') {
      remember('')
      return show('gone', said)
    }
    const { workspace } = done(said)
    remember('')
    show('done', { workspace: workspace.name })
  },
  'change-person': async () => {
    await signOut()
    return leave(address('sign-in'))
  },
}

/** By a link of a mail that is opened in this browser one comes back to the invitation by which one signed up. */
function remember(invitation) {
  try {
    if (invitation) localStorage.setItem(SLOT, invitation)
    else localStorage.removeItem(SLOT)
  } catch {
    // The browser keeps nothing here.
  }
}

function remembered() {
  try {
    return localStorage.getItem(SLOT) ?? ''
  } catch {
    return ''
  }
}

const maySignUp = () =>
  main.dataset.registration === 'open' || (main.dataset.registration === 'invited' && invitation !== '')

/** One state for somebody who is signed in, another for everybody else. */
async function meet(known, stranger) {
  show('waiting')
  try {
    const viewer = await ask('viewer')
    person = viewer?.user ?? {}
    show(viewer ? known : stranger, person)
  } catch (error) {
    show(stranger)
    tell(error)
  }
}

async function signOut() {
  const { ok } = await post('/auth/sign-out')
  if (!ok) throw new Error('You are signed in still: try again in a moment.')
}

/** Off to another page: nothing here can be pressed any more. */
function leave(address) {
  location.assign(address)
  return new Promise(() => {})
}

// How the API is asked.

/** What the field says: a payload or a problem. Who is signed in longer than an access token lasts is not sent away. */
async function ask(name, input) {
  const first = await send(name, input)
  const refused = first.errors?.[0].extensions?.code === 'UNAUTHENTICATED'
  const isNobody = refused || first.data?.answer === null || first.data?.answer?.code === 'NOT_SIGNED_IN'
  // Refused too, it makes the browser forget the token that opens nothing.
  const again = isNobody && ((await post('/auth/refresh')).ok || refused)
  const { data, errors, retryAfter } = again ? await send(name, input) : first
  if (errors) throw new Error(`${errors[0].message}${tryAgain(retryAfter && Date.now() + retryAfter * 1000)}`)
  return data.answer
}

async function send(name, input) {
  const answer = await post('/graphql', { query: DOCUMENTS[name], variables: input ? { input } : {} })
  try {
    return { ...(await answer.json()), retryAfter: Number(answer.headers.get('Retry-After')) }
  } catch {
    throw new Error(`The server could not answer (${answer.status}): try again in a moment.`)
  }
}

async function post(path, body) {
  try {
    return await fetch(path, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
  } catch {
    if (!navigator.onLine) throw new Error('You are offline: try again once you are connected.')
    throw new Error('The server does not answer: try again in a moment.')
  }
}

class Refused extends Error {
  constructor({ message, fields, retryAt }) {
    super(`${message}${tryAgain(retryAt)}`)
    this.fields = fields ?? []
  }
}

/** The payload. Throws Refused. */
function done(said) {
  if (said.code) throw new Refused(said)
  return said
}

function tryAgain(at) {
  if (!at) return ''
  const minute = new Date(Math.ceil(new Date(at) / 60_000) * 60_000)
  const isToday = minute.toDateString() === new Date().toDateString()
  const shown = isToday ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' }
  return ` Try again at ${minute.toLocaleString([], shown)}.`
}

// What is shown.

function show(name, texts = {}, values = {}) {
  const isFirst = !main.querySelector('section:not([hidden], [data-state=waiting])')
  for (const section of main.querySelectorAll('section')) section.hidden = section.dataset.state !== name
  for (const [key, text] of Object.entries({ ...person, ...texts })) {
    for (const each of main.querySelectorAll(`[data-text=${key}]`)) each.textContent = text
  }
  const section = main.querySelector('section:not([hidden])')
  for (const [key, value] of Object.entries(values)) {
    for (const input of section.querySelectorAll(`input[name=${key}]`)) input.value = value
  }
  for (const said of section.querySelectorAll('.said')) said.textContent = ''
  for (const input of main.querySelectorAll('section[hidden] input[type=password]')) input.value = ''
  const heading = section.querySelector('h1')
  if (!heading) return
  document.title = `${heading.textContent} · Pacemark`
  const begun = isFirst ? (section.querySelector('input') ?? heading) : heading
  begun.focus({ preventScroll: true })
}

/** Beside the fields that it is about; all else above the form. */
function tell(error) {
  const section = main.querySelector('section:not([hidden])')
  const above = []
  for (const { path, message } of error.fields ?? []) {
    const input = section.querySelector(`input[name="${CSS.escape(path.join('.'))}"]`)
    if (input) mark(input, message)
    else above.push(message)
  }
  if (!error.fields?.length) above.push(error.message)
  section.querySelector('.said').textContent = above.join(' ')
  section.querySelector('[aria-invalid]')?.focus()
}

function mark(input, message) {
  input.setAttribute('aria-invalid', 'true')
  document.getElementById(`${input.id}-about`).textContent = message
}

function unmark(input) {
  input.removeAttribute('aria-invalid')
  const about = document.getElementById(`${input.id}-about`)
  about.textContent = about.dataset.hint
}

function address(name) {
  const back = main.dataset.page === 'invitation' ? token : invitation || (main.dataset.page === 'verify' && remembered())
  const there = back ? `/auth/invitation?${new URLSearchParams({ token: back })}` : to
  switch (name) {
    case 'to':
      return to
    case 'sign-up':
      return back ? `/auth/sign-up?${new URLSearchParams({ invitation: back })}` : '/auth/sign-up'
    case 'issuer':
      return `/auth/oidc/start?${new URLSearchParams({ to: there || '/auth/sign-in' })}`
    default:
      return there ? `/auth/${name}?${new URLSearchParams({ to: there })}` : `/auth/${name}`
  }
}

document.addEventListener('submit', async (event) => {
  event.preventDefault()
  if (busy) return
  const form = event.target
  const inputs = [...form.querySelectorAll('input')]
  inputs.forEach(unmark)
  const missing = inputs.filter((input) => input.validity.valueMissing)
  for (const input of missing) mark(input, 'Fill this in.')
  if (missing.length > 0) return missing[0].focus()
  const [buttons, focused] = [main.querySelectorAll('button'), document.activeElement]
  busy = true
  for (const button of buttons) button.disabled = true
  form.closest('section').querySelector('.said').textContent = ''
  form.setAttribute('aria-busy', 'true')
  let failed = null
  try {
    await ACTIONS[form.dataset.does](Object.fromEntries(new FormData(form)))
  } catch (error) {
    failed = error
  }
  busy = false
  for (const button of buttons) button.disabled = false
  form.removeAttribute('aria-busy')
  if (failed === null) return
  focused.focus()
  tell(failed)
})

// Come back to by the browser's own means, it is as it was left: in the middle of something.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload())

for (const link of main.querySelectorAll('[data-leads]')) link.href = address(link.dataset.leads)
for (const each of main.querySelectorAll('[data-needs=to]')) each.hidden = !to
for (const each of main.querySelectorAll('[data-needs=invitation]')) each.hidden = !invitation
BEGINNINGS[main.dataset.page]()
