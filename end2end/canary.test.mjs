// Secrets stay where they were given (T54, T63, T57): a run with the log at its most talkative, in which every secret there is
// was used rightly and wrongly, and then every log, page, error answer and a dump of the database is searched for each of
// them. What is typed by hostile hands ends no line of the log either (T78).

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { inState, openCheckout, password, pay, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const canary = (name) => `canary-${name}-${randomBytes(8).toString('hex')}`
const given = {
  'the previous webhook secret': `ws_${canary('previous')}`,
  'the client secret': canary('client'),
  'the mail password': canary('mail'),
}
const { story } = stage({
  RUST_LOG: 'debug,hyper=info',
  ATLAS_LOG: 'json',
  WHOP_WEBHOOK_SECRET_PREVIOUS: given['the previous webhook secret'],
  WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL: new Date(Date.now() + 86_400_000).toISOString(),
  WHOP_CLIENT_SECRET: given['the client secret'],
  SMTP_URL: `smtps://mailer:${given['the mail password']}@127.0.0.1:9`,
  MAIL_FROM: 'Atlas <atlas@example.com>',
})

story('no secret is in a log, a page, an error or the database (T63, T78)', async ({ stack, visit }) => {
  const visitor = await visit({ userAgent: 'Mozilla/5.0 \u0022{\u0022level\u0022:\u0022ERROR\u0022}' })
  const { page } = visitor
  visitor.expected.push(/status of 4\d\d/)
  let shown = ''
  page.on('response', async (answer) => {
    if ((answer.headers()['content-type'] ?? '').startsWith('text/html')) shown += await answer.text().catch(() => '')
  })
  const typed = { 'a wrong password': canary('wrong'), 'a new password': canary('fresh') }
  const email = await signUp(visitor)
  const anonymous = await visit()
  anonymous.page.on('response', async (answer) => { shown += await answer.text().catch(() => '') })
  await signIn(anonymous, email, typed['a wrong password'])
  await anonymous.page.getByRole('group', { name: 'Please mend this first' }).waitFor()
  await openCheckout(visitor)
  const session = (await visitor.cookies()).find(({ name }) => name.endsWith('sid')).value
  const device = (await visitor.cookies()).find(({ name }) => name.endsWith('device')).value
  await pay(visitor)
  await inState(page, 'paid').waitFor()
  for (const path of ['/', '/credits', '/account', '/transactions', '/nowhere', '/transactions/nothing', '/receipt/nothing']) await page.goto(path)

  const key = (await stack.atlas('key', 'create', '--name', 'Canary', '--app', 'canary')).trim().split(/\s+/).at(-1)
  const secrets = {
    ...stack.secrets, ...given, ...typed, 'the password': password, 'the session': session, 'the device': device, 'the API key': key,
    'a token of Whop’s': canary('token'), 'a query': canary('query'), 'a body': canary('body'), 'an unknown key': `cred_live_${canary('key')}`,
    'a code': canary('code'), 'a state': canary('state'), 'a signature': canary('signature'),
  }
  // Each where it belongs, and where it does not.
  const [{ id: person }] = await stack.sql`select id from user_profiles where email = ${email}`
  const errors = await Promise.all([
    ask(stack, '/api/v1/spend', { authorization: `Bearer ${key}`, 'idempotency-key': 'canary-1', 'content-type': 'application/json' }, JSON.stringify({ owner: person, credits: 1 })),
    ask(stack, '/api/v1/spend', { authorization: `Bearer ${secrets['an unknown key']}`, 'idempotency-key': 'c', 'content-type': 'application/json' }, `{"owner": "${secrets['a body']}"}`),
    ask(stack, '/api/v1/spend', { authorization: `Bearer ${key}`, 'idempotency-key': 'c', 'content-type': 'application/json' }, `{"owner": "${secrets['a body']}", "${secrets['a body']}`),
    ask(stack, '/api/webhooks/whop', { ...stack.sign('{}'), 'webhook-signature': `v1,${secrets['a signature']}` }, secrets['a body']),
    ask(stack, '/api/webhooks/whop', stack.sign(`{"type": "${secrets['a body']}"`), `{"type": "${secrets['a body']}"`),
    ask(stack, '/do/sign-in', { 'content-type': 'application/json', cookie: `sid=${session}` }, `{"password": "${secrets['a body']}"}`),
    ask(stack, '/do/sign-in', { 'content-type': 'application/x-www-form-urlencoded', origin: stack.app }, `email=${secrets['a body']}%`),
    ask(stack, `/credits?q=${secrets['a query']}`, { cookie: `sid=${session}x`, 'x-whop-user-token': secrets['a token of Whop’s'] }),
    ask(stack, `/embed/credits?q=${secrets['a query']}`, { 'x-whop-user-token': secrets['a token of Whop’s'] }),
    ask(stack, `/api/whop/callback?code=${secrets['a code']}&state=${secrets['a state']}`, {}),
    ask(stack, '/nowhere', { referer: `https://x.example/?${secrets['a query']}` }),
    ask(stack, '/csp-report', { 'content-type': 'application/csp-report' }, JSON.stringify({ 'csp-report': { 'blocked-uri': `https://x.example/?${secrets['a query']}`, 'document-uri': `${stack.app}/?${secrets['a query']}` } })),
  ])
  // Line ends in what a client says: in a header they are refused by the parser, in a report they are text.
  await raw(stack, 'GET /%0d%0a{"level":"ERROR"}%00 HTTP/1.1\r\nhost: x\r\nuser-agent: a\x0b\x1b[2J\r\n\r\n')
  await ask(stack, '/csp-report', {}, JSON.stringify({ 'csp-report': { 'blocked-uri': 'a\r\n{"level":"ERROR"}\u001b[2J\u2028' } }))

  const log = stack.wholeLog()
  assert.match(log, /"level":"DEBUG"/, 'the log says all it can')
  for (const line of log.trimEnd().split('\n')) {
    const parsed = JSON.parse(line)
    assert.ok(parsed.timestamp && parsed.level, line)
  }
  const answered = log.trimEnd().split('\n').map(JSON.parse).filter(({ message }) => message === 'answered')
  assert.ok(answered.length > 20 && answered.every(({ span }) => span['request.id']), 'each request has its id')
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(log, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028]/)

  const places = { 'the log': log, pages: shown, 'the error answers': errors.join('\n'), 'the database': await stack.dump() }
  assert.ok(places.pages.length > 10_000 && places['the database'].includes(email), 'there is something to search')
  for (const [place, text] of Object.entries(places)) {
    for (const [name, secret] of Object.entries(secrets)) {
      // The two requests that are kept whole, to be looked at by a person: what an authentic sender said.
      if (name === 'a body' && place === 'the database') continue
      // Whoever has to sign in first is led back to the very page that they asked for.
      if (name === 'a query' && place === 'the error answers') continue
      assert.ok(!text.includes(secret), `${name} is in ${place}: …${around(text, secret)}…`)
      assert.ok(!text.includes(Buffer.from(secret).toString('hex')), `${name} is in ${place}, as hexadecimal`)
    }
  }
  for (const text of errors) assert.doesNotMatch(text, /\b(sqlx|postgres|select |relation|panicked|\.rs:\d)/i, 'nothing of what is inside')
  assert.ok(!log.includes(email) && !log.includes('%40example'), 'nor an email in the log')
})

const around = (text, found) => text.slice(Math.max(0, text.indexOf(found) - 120), text.indexOf(found) + 20)

async function ask(stack, path, headers, body) {
  const answer = await fetch(`${stack.app}${path}`, { method: body === undefined ? 'GET' : 'POST', headers, body, redirect: 'manual' })
  return `${answer.status}\n${[...answer.headers].join('\n')}\n${await answer.text()}`
}

/** Bytes as they are; whatever comes back until the end. */
function raw(stack, bytes) {
  const { hostname, port } = new URL(stack.app)
  return new Promise((done) => {
    const socket = connect(Number(port), hostname, () => socket.end(bytes))
    let text = ''
    socket.on('data', (part) => { text += part }).on('error', () => done(text)).on('close', () => done(text))
  })
}
