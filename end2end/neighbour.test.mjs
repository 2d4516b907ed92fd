// Another site, open in the browser of somebody who is signed in here, tries everything that a browser lets it: forms, text
// that is JSON, links, frames, sockets, against every action there is (T41, T42, T50, T56, T58). Two of them: one of another
// site, to which our cookie does not go along with a form, and one of our own site on another port, to which it does.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { root } from '../scripts/processes.mjs'
import { inState, newestOrder, openCheckout, pay, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { story } = stage()

// Read from the sources, so that a new action can't be forgotten.
const folder = join(root, 'app/src/actions')
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs'))
const sources = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
const declared = [...sources.matchAll(/#\[server\(([^)]*)\)\]/g)].map(([, words]) => words).filter((words) => words.includes('endpoint'))
const actions = declared.map((words) => `${/prefix = "([^"]+)"/.exec(words)[1]}/${/endpoint = "([^"]+)"/.exec(words)[1]}`)
const others = ['/api/v1/spend', '/api/webhooks/whop']

/** What the forms would send, had they been sent by us: enough for each of them to be carried out. */
const fields = ({ plan, session }) => ({
  name: 'Mallory', email: 'mallory@example.com', password: 'a password of mallory', current: 'correct horse battery',
  new: 'a password of mallory', next: '//evil.example/', theme: 'dark', plan, key: 'mallory-key-0001', note: 'Mallory', session,
})

/** A page of the neighbour's, at a port of its own. */
async function neighbour(host) {
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>A bargain</title><p>Look!'))
  await new Promise((listening) => { server.listen(0, '127.0.0.1', listening) })
  return { at: `http://${host}:${server.address().port}`, close: () => server.close() }
}

/** Everything that is stored, but for what says when a session was used last, and figures: they follow from the other rows, when a job folds them. */
async function everything(stack) {
  const tables = await stack.sql`select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like 'figure%' and table_name <> 'slow_credits' order by 1`
  const rows = {}
  for (const { name } of tables) {
    const [{ rows: found }] = await stack.sql([`select coalesce(jsonb_agg(to_jsonb(t) - 'seen_at' - 'expires_at' order by to_jsonb(t)::text), '[]') as rows from ${name} t`])
    rows[name] = found
  }
  return rows
}

for (const [host, relation] of [['localhost', 'another site'], ['127.0.0.1', 'our own site on another port']]) {
  story(`${relation} can do nothing with a visitor's session`, async ({ visit, stack }) => {
    assert.ok(actions.length >= 10, `only ${actions}`)
    const visitor = await visit()
    await signUp(visitor)
    await openCheckout(visitor)
    await pay(visitor)
    await inState(visitor.page, 'paid').waitFor()
    const order = await newestOrder(stack, visitor.email)
    const [{ plan_id: plan }] = await stack.sql`select plan_id from plan_versions where id = ${order.plan_version_id}`
    const [{ public_id: session }] = await stack.sql`select s.public_id from sessions s join user_profiles p on p.id = s.person_id where p.email = ${visitor.email}`
    const before = await settled(stack)

    // What its pages complain of is their own affair.
    visitor.expected.push(/./)
    const evil = await neighbour(host)
    try {
      const page = await visitor.newPage()
      for (const path of [...actions, ...others]) {
        const target = `${stack.app}${path}`
        for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
          await page.goto(evil.at)
          await Promise.all([page.waitForNavigation({ waitUntil: 'commit' }), page.evaluate(sendForm, { target, type, fields: fields({ plan, session }) })])
          assert.equal(new URL(page.url()).origin, stack.app, 'nobody was sent elsewhere')
          const status = await page.evaluate(() => performance.getEntriesByType('navigation')[0].responseStatus)
          assert.ok(status >= 400 && status < 500, `${path} as ${type}: ${status}`)
        }
        await page.goto(evil.at)
        await page.evaluate(sendByScript, { target, body: JSON.stringify(fields({ plan, session })) })
        assert.equal(await statusOfLink(visitor, evil.at, target, fields({ plan, session })), 405, `${path} by a link`)
      }
      for (const path of ['/', '/credits', '/account', '/sign-in', '/transactions']) {
        await page.goto(evil.at)
        await page.evaluate(frame, `${stack.app}${path}`)
        assert.match(await addressOfFrame(page), /^chrome-error:/, `${path} in a frame`)
        assert.equal(await page.evaluate(openSocket, `${stack.app.replace('http', 'ws')}${path}`), 'closed', `${path} by a socket`)
      }
    } finally {
      evil.close()
    }
    const after = await settled(stack)
    // A limit that is whole again is forgotten, once an hour; none may be used up.
    const stands = new Set(after.rate_limits.map((limit) => JSON.stringify(limit)))
    before.rate_limits = before.rate_limits.filter((limit) => stands.has(JSON.stringify(limit)))
    for (const [table, rows] of Object.entries(before)) assert.deepEqual(after[table], rows, table)
    await visitor.page.goto('/account')
    assert.equal(new URL(visitor.page.url()).pathname, '/account', 'still signed in')
  })
}

/** Everything that is stored, once no job is due, every entry is sealed and nothing changes any more. */
async function settled(stack) {
  let last
  for (;;) {
    const [{ busy }] = await stack.sql`select exists (select from graphile_worker.jobs where run_at <= now())
      or (select count(*) from credit_transactions) > (select coalesce(sum(transactions), 0) from ledger_seals) as busy`
    const now = busy ? undefined : JSON.stringify(await everything(stack))
    if (now && now === last) return JSON.parse(now)
    last = now
    await new Promise((later) => { setTimeout(later, 500) })
  }
}

/** Where the page's only frame is, once it is anywhere. */
async function addressOfFrame(page) {
  for (;;) {
    const address = page.frames()[1]?.url()
    if (address) return address
    await page.waitForTimeout(20)
  }
}

/** In a tab of its own, for an answer without a page leaves one in which nothing else can be done. */
async function statusOfLink(visitor, from, target, said) {
  const tab = await visitor.newPage()
  await tab.goto(from)
  const visited = tab.waitForResponse((answer) => answer.url().startsWith(`${target}?`))
  await tab.evaluate(followLink, { target, query: new URLSearchParams(said).toString() })
  const status = (await visited).status()
  await tab.close()
  return status
}

// From here on: runs in the neighbour's page.

function sendForm({ target, type, fields }) {
  const form = Object.assign(document.createElement('form'), { method: 'post', action: target, enctype: type })
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement('input'), { name, value }))
  }
  document.body.append(form)
  form.submit()
}

async function sendByScript({ target, body }) {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    for (const method of ['POST', 'GET', 'HEAD']) {
      const said = method === 'POST' ? { body, headers: { 'content-type': type } } : {}
      await fetch(target, { method, mode: 'no-cors', credentials: 'include', ...said }).catch(() => {})
    }
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const readable = await fetch(target, { method, credentials: 'include', body, headers: { 'content-type': 'application/json' } }).then(() => true, () => false)
    if (readable) throw new Error(`${method} ${target} could be read by another origin`)
  }
  navigator.sendBeacon(target, body)
}

function followLink({ target, query }) {
  const link = Object.assign(document.createElement('a'), { href: `${target}?${query}` })
  document.body.append(link)
  link.click()
}

async function frame(address) {
  const frame = document.createElement('iframe')
  const loaded = new Promise((done) => { frame.onload = done })
  frame.src = address
  document.body.append(frame)
  await loaded
}

function openSocket(address) {
  return new Promise((done) => {
    const socket = new WebSocket(address)
    socket.onopen = () => done('open')
    socket.onclose = () => done('closed')
  })
}
