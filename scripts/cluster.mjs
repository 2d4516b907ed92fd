// A throw-away PostgreSQL for tests and for checking queries: on a free port of this machine, in a temporary folder,
// without durability. It is gone with the one who asked for it.

import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from './processes.mjs'

/** Starts it: `{ url, stop }`, where `url` is its superuser's. `at`: a folder for its data, with the log of changes beside it
 * elsewhere; `durable`: as a real one. */
export async function startCluster({ at, durable = false } = {}) {
  const bin = binaries()
  const folder = mkdtempSync(join(tmpdir(), 'atlas-test-pg-'))
  const port = await freePort()
  const run = asServerUser(folder)
  const data = join(at ?? folder, 'data')
  if (at) asServerUser(at)
  run(join(bin, 'initdb'), ['-D', data, ...(at ? ['-X', join(folder, 'wal')] : []), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C', '--no-sync'])
  const settings = {
    listen_addresses: '127.0.0.1', port, unix_socket_directories: '', max_connections: 300, shared_buffers: '256MB',
    timezone: 'UTC', ...(!durable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`).join(' ')
  run(join(bin, 'pg_ctl'), ['start', '-w', '-D', data, '-l', join(folder, 'log'), '-o', options])
  const stop = () => {
    try {
      run(join(bin, 'pg_ctl'), ['stop', '-w', '-D', data, '-m', 'immediate'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop }
}

function binaries() {
  const debian = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a)) : []
  const places = [
    process.env.ATLAS_PG_BIN,
    ...debian.map((version) => join('/usr/lib/postgresql', version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  const found = places.find((place) => place && existsSync(join(place, 'initdb')))
  if (!found) throw new Error('no PostgreSQL found; scripts/setup installs it')
  return found
}

// PostgreSQL refuses to run as root. Then it is another user of the machine, who gets the folder.
function asServerUser(folder) {
  const options = { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } }
  if (process.getuid() === 0) {
    const users = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'))
    const user = ['postgres', 'nobody'].map((name) => users.find(([is]) => is === name)).find(Boolean)
    if (!user) throw new Error('PostgreSQL refuses to run as root, and there is no user postgres or nobody')
    Object.assign(options, { uid: Number(user[2]), gid: Number(user[3]) })
    chownSync(folder, options.uid, options.gid)
  }
  return (program, args) => {
    try {
      execFileSync(program, args, options)
    } catch (error) {
      throw new Error(`${program} failed: ${error.stderr?.toString().trim()}`)
    }
  }
}
