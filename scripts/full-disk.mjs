#!/usr/bin/env node
// The database's disk fills up under load and is freed again (T75). Its data lies on a memory file system of 64 MB (which takes
// root to mount), its log of changes elsewhere. While it is full, spends and webhooks are answered 200 or 503 and pages are still shown; once
// there is room again everything goes on without a restart, and nothing that was answered 200 is missing.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync, appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack, waitFor } from '../end2end/stack.mjs'
import { startCluster } from './cluster.mjs'
import { stopOnSignals } from './processes.mjs'

const fullSeconds = 10

function assert(holds, sentence) {
  if (!holds) throw new Error(sentence)
}

/** Somebody who bought credits; their id. */
async function buyer(stack) {
  const send = (path, fields, cookie = '') => fetch(`${stack.app}${path}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), headers: { cookie, origin: stack.app, accept: 'text/html' } })
  const joined = await send('/do/sign-up', { email: 'full@example.com', password: 'correct horse battery', next: '' })
  const cookie = joined.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const [{ id: plan }] = await stack.sql`select p.id from plans p join plan_versions v on v.plan_id = p.id where v.price_minor is not null order by v.credits desc limit 1`
  const checkout = await send('/do/buy-credits', { plan, key: 'full-disk-key-1' }, cookie)
  await stack.control('pay', { checkout_id: new URL(checkout.headers.get('location')).searchParams.get('session') })
  const wallet = () => stack.sql`select a.owner_id as owner from credit_accounts a join user_profiles p on p.id = a.owner_id where p.email = 'full@example.com' and a.posted > 0`
  const [{ owner }] = await waitFor(async () => (await wallet()).length > 0 && wallet(), 'the credits')
  return owner
}

async function main() {
  const disk = mkdtempSync(join(tmpdir(), 'atlas-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=755', 'tmpfs', disk])
  let cluster
  let stack
  try {
    cluster = await startCluster({ at: disk, durable: true })
    process.env.DATABASE_URL = cluster.url
    stack = await startStack({ RUST_LOG: 'warn', ATLAS_SPENDS_PER_SECOND: '100000' })
    const key = (await stack.atlas('key', 'create', '--name', 'Full', '--app', 'full')).trim().split(/\s+/).at(-1)
    const owner = await buyer(stack)
    const [{ before }] = await stack.sql`select posted as before from credit_accounts where owner_id = ${owner} and kind = 'wallet'`

    let number = 0
    const answers = new Map()
    const spend = async (name = `full-${(number += 1)}`) => {
      const answer = await fetch(`${stack.app}/api/v1/spend`, {
        method: 'POST', body: JSON.stringify({ owner, credits: 1, description: 'x'.repeat(200) }),
        headers: { authorization: `Bearer ${key}`, 'idempotency-key': name, 'content-type': 'application/json' },
      })
      await answer.arrayBuffer()
      answers.set(name, answer.status)
      return answer.status
    }
    /** A message that is only kept; 2 kB of it. */
    const deliver = async () => {
      const body = JSON.stringify({ type: 'something.happened', company_id: stack.company, data: { id: 'x_1', words: 'x'.repeat(2_000) } })
      return (await fetch(`${stack.app}/api/webhooks/whop`, { method: 'POST', body, headers: stack.sign(body) })).status
    }
    const page = async (path) => (await fetch(`${stack.app}${path}`)).status
    assert((await spend()) === 200, 'a spend before')

    const stone = join(disk, 'stone')
    writeFileSync(stone, '')
    const fill = () => {
      const { bavail, bsize } = statfsSync(disk)
      if (bavail > 0) appendFileSync(stone, Buffer.alloc(Math.min(bavail * bsize, 1 << 20)))
      return bavail
    }
    while (fill() > 0);
    const until = Date.now() + fullSeconds * 1_000
    const counts = {}
    const count = (what) => { counts[what] = (counts[what] ?? 0) + 1 }
    while (Date.now() < until) {
      fill()
      for (const status of await Promise.all(Array.from({ length: 20 }, () => spend()))) count(`spend ${status}`)
      for (const status of await Promise.all(Array.from({ length: 5 }, deliver))) count(`webhook ${status}`)
      for (const path of ['/', '/healthz', '/sign-in']) count(`${path} ${await page(path)}`)
    }
    console.log('full:', counts)
    assert(counts['spend 503'] > 0 && counts['webhook 503'] > 0, 'it was never full')
    for (const what of Object.keys(counts)) assert(/ 200$|^(spend|webhook) 503$/.test(what), `while it was full: ${what}`)

    rmSync(stone)
    const freed = performance.now()
    await waitFor(async () => (await spend()) === 200, 'a spend after', 30_000)
    assert((await deliver()) === 200, 'a webhook after')
    console.log(`spends go on ${((performance.now() - freed) / 1000).toFixed(1)} s after there is room`)
    // Whoever got no answer asks again with the same key, and learns what became of it.
    for (const [name, status] of [...answers]) if (status === 503) assert([200, 402].includes(await spend(name)), `${name} again`)
    const done = [...answers.values()].filter((status) => status === 200).length
    const [{ after, booked }] = await stack.sql`select posted as after, (select count(*)::int from credit_transactions where kind = 'spend' and key like 'full-%') as booked from credit_accounts where owner_id = ${owner} and kind = 'wallet'`
    assert(booked === done && before - after === done, `${done} were answered 200, ${booked} are booked, ${before - after} credits are gone`)
    console.log(`${done} spends answered 200, as many booked;`, (await stack.atlas('ledger', 'audit')).trim().split('\n').at(-1))
  } finally {
    await stack?.stop()
    cluster?.stop()
    execFileSync('umount', [disk])
    rmSync(disk, { recursive: true })
  }
}

stopOnSignals()
await main()
