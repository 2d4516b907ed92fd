#!/usr/bin/env node
// Who is slow on purpose, or asks for work that costs much, must not be felt by others (T10, T46, T70, T79):
//
//   scripts/slow.mjs senders     2,000 requests whose header never ends and 2,000 whose body does not (Debian's slowhttptest),
//                                at the same time, and a good one every 50 ms
//   scripts/slow.mjs sign-ins    200 sign-ins a second, and another page beside them
//
// Prints the figures, and fails when a good request took 200 ms, or the other page's p99 doubled. ATLAS_BIN names the program.

import { Agent, request } from 'node:http'
import { randomInt } from 'node:crypto'
import { startStack } from '../end2end/stack.mjs'
import { runAndRead, stopOnSignals } from './processes.mjs'

const goodRequestMsMax = 200
const connections = 2_000
const attackSeconds = 25
const signInsEachSecond = 200
const measureSeconds = 40

/** Milliseconds until the whole answer is here, or the status that was none. */
function ask(app, path, options = {}, body) {
  const began = performance.now()
  return new Promise((done) => {
    const asked = request(`${app}${path}`, options, (answer) => {
      answer.resume().on('end', () => done({ ms: performance.now() - began, status: answer.statusCode }))
    })
    asked.setTimeout(10_000, () => asked.destroy())
    asked.on('error', (error) => done({ ms: performance.now() - began, status: error.code }))
    asked.end(body)
  })
}

const pause = (ms) => new Promise((later) => { setTimeout(later, ms) })

/** Asks every `eachMs` until it is told to stop. */
function watch(app, path, eachMs, options) {
  const times = []
  let on = true
  const ended = (async () => {
    while (on) {
      const { ms, status } = await ask(app, path, options)
      times.push(status === 200 ? ms : Infinity)
      await pause(eachMs)
    }
  })()
  return async () => {
    on = false
    await ended
    return times.sort((a, b) => a - b)
  }
}

const rank = (times, share) => times[Math.min(times.length - 1, Math.floor(times.length * share))]
const figures = (times) => `${times.length} requests: median ${rank(times, 0.5).toFixed(1)} ms, p99 ${rank(times, 0.99).toFixed(1)} ms, slowest ${times.at(-1).toFixed(1)} ms`

async function senders() {
  // No proxy: each address has its own connections. The good one comes from another address of this machine.
  const stack = await startStack({ ATLAS_TRUSTED_PROXIES: '', RUST_LOG: 'warn' })
  try {
    const agent = new Agent({ localAddress: '127.0.0.2', keepAlive: false })
    await ask(stack.app, '/', { agent })
    const ended = watch(stack.app, '/', 50, { agent })
    const kinds = [['-H', '-u', `${stack.app}/`], ['-B', '-t', 'POST', '-s', '8192', '-u', `${stack.app}/do/sign-in`]]
    const pace = ['-c', String(connections), '-r', '400', '-i', '5', '-l', String(attackSeconds), '-x', '24', '-p', '3']
    await Promise.all(kinds.map((how) => runAndRead('slowhttptest', [...how, ...pace], { quiet: true })))
    const times = await ended()
    console.log(`${connections} slow headers and ${connections} slow bodies, a good request beside them: ${figures(times)}`)
    return times.at(-1) < goodRequestMsMax
  } finally {
    await stack.stop()
  }
}

async function signIns() {
  const stack = await startStack({ RUST_LOG: 'warn' })
  try {
    for (let warm = 0; warm < 50; warm += 1) await ask(stack.app, '/')
    const quiet = watch(stack.app, '/', 10)
    await pause(measureSeconds * 1_000)
    const before = await quiet()
    const statuses = {}
    const busy = watch(stack.app, '/', 10)
    const began = performance.now()
    let sent = 0
    const waiting = new Set()
    while (performance.now() - began < measureSeconds * 1_000) {
      while (sent < ((performance.now() - began) / 1_000) * signInsEachSecond) {
        const body = `email=flood-${sent}%40example.com&password=not+the+password&next=`
        const headers = {
          'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, origin: stack.app, accept: 'text/html',
          'x-forwarded-for': `198.${18 + randomInt(2)}.${randomInt(256)}.${randomInt(256)}`,
        }
        const one = ask(stack.app, '/do/sign-in', { method: 'POST', headers }, body).then(({ status }) => {
          statuses[status] = (statuses[status] ?? 0) + 1
          waiting.delete(one)
        })
        waiting.add(one)
        sent += 1
      }
      await pause(5)
    }
    const during = await busy()
    await Promise.all(waiting)
    console.log(`alone: ${figures(before)}`)
    console.log(`beside ${signInsEachSecond} sign-ins a second: ${figures(during)}; sign-ins were answered ${JSON.stringify(statuses)}`)
    return rank(during, 0.99) < 2 * rank(before, 0.99)
  } finally {
    await stack.stop()
  }
}

stopOnSignals()
const tests = { senders, 'sign-ins': signIns }
const chosen = process.argv.slice(2)
let failed = 0
for (const [name, test] of Object.entries(tests)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  if (!(await test())) {
    console.log(`${name}: others felt it`)
    failed += 1
  }
}
process.exit(failed)
