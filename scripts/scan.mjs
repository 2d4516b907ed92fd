#!/usr/bin/env node
// `make scan`: sqlmap and wapiti (both Debian's) against an Atlas of their own, over every page, form and parameter, as nobody
// and as a buyer who is signed in. Ends with 1 when either finds something that docs/security.md does not explain.
//
//   scripts/scan.mjs [sqlmap] [wapiti] [admin] [nobody] [buyer] [/a/path…]
//
// With people, or with paths, sqlmap looks only as these, and only at what begins with one of those.

import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '../end2end/stack.mjs'
import { run, runAndRead, stopOnSignals } from './processes.mjs'
import { targets } from './scan-targets.mjs'

const places = process.argv.slice(2).filter((word) => word.startsWith('/'))
const roles = process.argv.slice(2).filter((word) => ['admin', 'nobody', 'buyer'].includes(word))
const chosen = process.argv.slice(2).filter((word) => ['sqlmap', 'wapiti'].includes(word))
const wapitiSeconds = 600
/** docs/security.md says why these are none: two belong to https, which this is not, and one is a header that does harm. */
const explained = [/Secure flag is not set/, /Strict-Transport-Security is not set/, /X-XSS-Protection is not set/]

const endsTheSession = /^\/do\/(sign-out|end-|delete-account)/

const wanted = (name) => chosen.length === 0 || chosen.includes(name)

/** Passes everything on as if it came from many people of our own site, so that no limit ends the scan early. */
async function startCrowd(app) {
  const { hostname, port } = new URL(app)
  const server = createServer((incoming, outgoing) => {
    // Or the rest of the scan would be nobody's.
    if (endsTheSession.test(incoming.url)) return outgoing.writeHead(204).end()
    const headers = {
      ...incoming.headers, host: new URL(app).host, 'x-forwarded-for': `198.18.${randomInt(256)}.${randomInt(256)}`,
      ...(!['GET', 'HEAD'].includes(incoming.method) && { origin: app, 'sec-fetch-site': 'same-origin' }),
    }
    const passed = httpRequest({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  await new Promise((listening) => { server.listen(0, '127.0.0.1', listening) })
  return { at: `http://127.0.0.1:${server.address().port}`, close: () => server.closeAllConnections?.() ?? server.close(), server }
}

/** A buyer with an order and a line in the statement; and an application's key. */
async function settle(stack, at) {
  const email = `scan-${randomInt(1e9)}@example.com`
  const send = (path, fields, cookie = '') => fetch(`${at}${path}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), headers: { cookie, accept: 'text/html' } })
  const cookies = (answer) => answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const cookie = cookies(await send('/do/sign-up', { email, password: 'correct horse battery', next: '' }))
  const admin = cookies(await send('/do/sign-in', { email: 'admin@example.com', password: 'admin-demo-password', next: '' }))
  const [{ id: plan }] = await stack.sql`select id from plans where slug = 'enterprise'`
  await send('/do/request-credits', { plan, note: 'x', key: 'scan-key-0001' }, cookie)
  const [{ id: order }] = await stack.sql`select o.id from credit_orders o join user_profiles p on p.id = o.buyer_id where p.known_as = ${email}`
  const [{ id: person }] = await stack.sql`select p.id from user_profiles p where p.known_as = ${email}`
  const key = (await stack.atlas('key', 'create', '--name', 'Scan', '--app', 'scan')).trim().split(/\s+/).at(-1)
  return { email, cookie, admin, plan, order, person, key }
}

async function sqlmap(stack, at, buyer, folder) {
  const found = []
  let count = 0
  // What limits a buyer would end the scan after ten orders.
  const unlimited = setInterval(() => stack.change`delete from rate_limits`.catch(() => {}), 500)
  // What asks for the password again would be looked at no further after five minutes.
  const fresh = setInterval(() => stack.change`update sessions set confirmed_at = now()`.catch(() => {}), 30_000)
  try {
    // The admin first: their session is the shortest.
    for (const [who, cookie] of [['an admin', buyer.admin], ['nobody', ''], ['a buyer', buyer.cookie]]) {
      if (roles.length > 0 && !roles.some((role) => who.endsWith(role))) continue
      for (const { path, method, data, headers = [] } of targets(buyer, who)) {
        if (places.length > 0 && !places.some((place) => path.startsWith(place))) continue
        const args = ['-u', `${at}${path}`, '--batch', '--disable-coloring', '--flush-session', '--fresh-queries', '--level', '2', '--risk', '2', '--dbms', 'PostgreSQL',
          '--technique', 'BEUST', '--time-sec', '2', '--timeout', '10', '--retries', '0', '--ignore-redirects', '--ignore-code', '400,401,402,403,404,409,413,422,429', '--skip', 'host,referer', '--output-dir', folder, '-v', '1']
        if (method) args.push('--method', method)
        if (data) args.push('--data', data)
        if (cookie) args.push('--cookie', cookie)
        if (headers.length > 0) args.push('--headers', headers.join('\n'))
        count += 1
        const { code, text } = await runAndRead('sqlmap', args, { quiet: true, env: { ...process.env, TERM: 'dumb' } })
        if (code !== 0 || !/all tested parameters do not appear to be injectable|injection point/.test(text)) found.push(`sqlmap as ${who} could not look at ${method ?? ''} ${path}: ${text.slice(-300)}`)
        if (/identified the following injection point/i.test(text)) found.push(`sqlmap as ${who}: ${method ?? ''} ${path} ${data ?? ''}\n${text}`)
      }
    }
  } finally {
    clearInterval(unlimited)
    clearInterval(fresh)
  }
  console.log(`sqlmap: ${count} requests taken apart, ${found.length} findings`)
  return found
}

async function wapiti(at, buyer, folder) {
  const found = []
  for (const [who, cookie] of [['nobody', ''], ['a buyer', buyer.cookie]]) {
    const report = join(folder, `wapiti-${who.split(' ').at(-1)}.json`)
    const args = ['-u', `${at}/`, '--scope', 'domain', '--flush-session', '--store-session', folder, '-m', 'backup,blindsql,cookieflags,crlf,csp,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,sql,xss',
      '--max-scan-time', String(wapitiSeconds), '--max-links-per-page', '100', '-f', 'json', '-o', report, '-v', '0', '--no-bugreport']
    if (cookie) args.push('-H', `Cookie: ${cookie}`)
    const code = await run('wapiti', args)
    if (code !== 0 || !existsSync(report)) found.push(`wapiti as ${who} ended with ${code} and no report`)
    else found.push(...read(JSON.parse(readFileSync(report, 'utf8')), who))
  }
  console.log(`wapiti: ${found.length} findings that are not explained`)
  return found
}

function read({ vulnerabilities, anomalies, infos }, who) {
  console.log(`wapiti as ${who}: ${infos.crawled_pages_nbr ?? '?'} pages`)
  return [vulnerabilities, anomalies].flatMap((kinds) => Object.entries(kinds)).flatMap(([kind, list]) => list
    .map(({ method, path, info, parameter }) => `wapiti as ${who}: ${kind}: ${method} ${path} ${parameter ?? ''}: ${info}`)
    .filter((line) => !explained.some((pattern) => pattern.test(line))))
}

async function main() {
  stopOnSignals()
  const folder = mkdtempSync(join(tmpdir(), 'atlas-scan-'))
  const stack = await startStack({ RUST_LOG: 'warn' })
  const crowd = await startCrowd(stack.app)
  const found = []
  try {
    const buyer = await settle(stack, crowd.at)
    if (wanted('sqlmap')) found.push(...(await sqlmap(stack, crowd.at, buyer, folder)))
    if (wanted('wapiti')) found.push(...(await wapiti(crowd.at, buyer, folder)))
    const errors = stack.wholeLog().split('\n').filter((line) => /\bERROR\b/.test(line))
    if (errors.length > 0) found.push(`${errors.length} errors in the log, such as: ${errors[0]}`)
  } finally {
    crowd.close()
    crowd.server.close()
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const finding of found) console.log(`\n${finding}`)
  console.log(`${found.length} findings`)
  process.exit(found.length === 0 ? 0 : 1)
}

await main()
