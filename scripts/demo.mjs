#!/usr/bin/env node
// `make demo`: Atlas and its sandbox, built, started, filled with demo data, and stopped together on Ctrl-C or SIGTERM.
// `make dev` is the same with --watch: what changes is rebuilt, and the app started again.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isFree, root, run, startServer, stop, stopAll, stopOnSignals, stopping } from './processes.mjs'

const watching = process.argv.includes('--watch')
const began = Date.now()
const dataDir = resolve(root, process.env.ATLAS_DATA_DIR ?? '.atlas')
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target')
const appListen = process.env.ATLAS_LISTEN ?? '127.0.0.1:3000'
const sandboxListen = process.env.SANDBOX_LISTEN ?? '127.0.0.1:4010'
const note = join(dataDir, 'demo.pids')
const program = (name) => join(target, 'debug', name)

const say = (text) => console.log(`demo: ${text}`)

async function fail(sentence) {
  console.error(`demo: ${sentence}`)
  await stopAll()
  rmSync(note, { force: true })
  process.exit(1)
}

// Keys that only this demo knows, made once; what an earlier one had not, is added. Written beside and renamed, so that a file
// with this name is whole.
function secrets() {
  const file = join(dataDir, 'demo.env')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const kept = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)))
  const fresh = {
    WHOP_API_KEY: `apik_demo_${randomBytes(24).toString('hex')}`,
    WHOP_COMPANY_ID: `biz_${randomBytes(7).toString('hex')}`,
    WHOP_WEBHOOK_SECRET: `ws_${randomBytes(32).toString('hex')}`,
    WHOP_CLIENT_ID: `app_${randomBytes(7).toString('hex')}`,
    WHOP_CLIENT_SECRET: randomBytes(24).toString('hex'),
  }
  const all = { ...fresh, ...kept }
  if (Object.keys(all).length > Object.keys(kept).length) {
    const text = Object.entries(all).map(([name, value]) => `${name}=${value}\n`).join('')
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  return all
}

function environment() {
  const env = { ...process.env, ...secrets(), ATLAS_DATA_DIR: dataDir, ATLAS_LISTEN: appListen, SANDBOX_LISTEN: sandboxListen }
  // Never anybody's real database or shop: the demo has its own.
  for (const name of ['DATABASE_URL', 'ATLAS_ENCRYPTION_KEYS', 'WHOP_WEBHOOK_SECRET_PREVIOUS', 'WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL', 'WHOP_APP_ID']) delete env[name]
  const sandbox = `http://${sandboxListen}`
  return Object.assign(env, {
    PAYMENT_PROVIDER: 'whop',
    // The demo's admin signs in with the password alone; nobody but this machine reaches it.
    ATLAS_REQUIRE_SECOND_FACTOR: 'off',
    WHOP_API_URL: `${sandbox}/api/v1`,
    WHOP_OAUTH_URL: `${sandbox}/oauth`,
    WHOP_WEB_URL: sandbox,
    SANDBOX_WEBHOOK_URL: `http://${appListen}/api/webhooks/whop`,
    SANDBOX_REDIRECT_URI: `${(process.env.ATLAS_PUBLIC_URL ?? `http://${appListen}`).replace(/\/$/, '')}/api/whop/callback`,
    SQLX_OFFLINE: 'true',
  })
}

// A demo that was killed outright leaves its programs running. They are ours, if the number still means our program.
async function stopLeftOvers() {
  if (!existsSync(note)) return
  for (const pid of readFileSync(note, 'utf8').split('\n').filter(Boolean)) {
    let file
    try {
      file = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '')
    } catch {
      continue
    }
    if (file !== program('atlas') && file !== program('sandbox')) continue
    say(`stopping ${file.split('/').pop()} (process ${pid}), left over from an earlier demo`)
    process.kill(Number(pid), 'SIGTERM')
    for (let waited = 0; waited < 40_000 && existsSync(`/proc/${pid}/exe`); waited += 100) {
      await new Promise((later) => setTimeout(later, 100))
    }
  }
  rmSync(note, { force: true })
}

async function checkPorts() {
  for (const [name, listen, other] of [['ATLAS_LISTEN', appListen, '127.0.0.1:3100'], ['SANDBOX_LISTEN', sandboxListen, '127.0.0.1:4110']]) {
    const [, host, port] = listen.match(/^\[?(.*?)\]?:(\d+)$/) ?? []
    if (!port || port === '0') await fail(`${name} must be an address with a port, like ${other}.`)
    if (!(await isFree(host, port))) await fail(`${listen} is in use. Choose another address: ${name}=${other} make demo`)
  }
}

async function build(env, options = []) {
  say('building the server and the sandbox')
  if ((await run('cargo', ['build', '--package', 'server', '--package', 'sandbox', '--bins'], { env })) !== 0) return 'the build failed; see above.'
  say('building the browser’s part')
  if ((await run(process.execPath, ['scripts/build-site.mjs', ...options], { env })) !== 0) return 'the site could not be built; see above.'
}

async function startOne(name, args, env) {
  const log = join(dataDir, `${name}.log`)
  const server = await startServer(program(name), args, { env, log })
  if (stopping) return server
  if (!server.address) await fail(`${name} did not start:\n${server.lastWords()}`)
  writeFileSync(note, `${server.child.pid}\n`, { flag: 'a' })
  server.child.ended.then(({ code }) => {
    if (!stopping && !server.replaced) fail(`${name} ended by itself (code ${code}):\n${server.lastWords()}`)
  })
  return server
}

function announce(app, sandbox) {
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  console.log(`
  Atlas      ${app}
             buyer@example.com   buyer-demo-password
             admin@example.com   admin-demo-password
  Sandbox    ${sandbox}   stands in for Whop: checkouts, deliveries, faults
  Logs       ${join(dataDir, 'atlas.log')}, sandbox.log

ready after ${seconds} s. Ctrl-C stops all of it.`)
}

// Rebuilds a moment after the last change, and starts the app again. A build that fails leaves the old one running.
function rebuildOnChange(env, restart) {
  const folders = ['src', 'domain/src', 'islands/src', 'app/src', 'server/src', 'style', 'public', 'migrations', '.sqlx']
  let timer
  let building = Promise.resolve()
  const changed = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      building = building.then(async () => {
        const problem = await build(env, ['--dev'])
        if (problem) say(problem)
        else if (!stopping) await restart()
      })
    }, 200)
  }
  for (const folder of folders.filter((folder) => existsSync(join(root, folder)))) watch(join(root, folder), { recursive: true }, changed)
}

async function main() {
  stopOnSignals(() => {
    rmSync(note, { force: true })
    say('stopped')
    process.exit(0)
  })
  mkdirSync(dataDir, { recursive: true })
  await stopLeftOvers()
  await checkPorts()
  const env = environment()
  const problem = await build(env, watching ? ['--dev'] : [])
  if (stopping) return
  if (problem) await fail(problem)

  const sandbox = await startOne('sandbox', [], env)
  if (stopping) return
  let app = await startOne('atlas', ['serve'], env)
  if (stopping) return
  if ((await run(program('atlas'), ['seed-demo'], { env })) !== 0 && !stopping) await fail('the demo data could not be written; see above.')
  if (stopping) return
  announce(app.address, sandbox.address)
  if (watching) {
    rebuildOnChange(env, async () => {
      app.replaced = true
      await stop(app.child)
      app = await startOne('atlas', ['serve'], env)
      if (!stopping) say('the app is new')
    })
  }
}

await main()
