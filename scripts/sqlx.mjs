#!/usr/bin/env node
// Refreshes .sqlx, the checked-in descriptions of our queries, against a throw-away database with the current schema.
// With --check it changes nothing and fails when they are stale.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from './cluster.mjs'
import { root, run, stopOnSignals } from './processes.mjs'

const checking = process.argv.includes('--check')
const kept = join(root, '.sqlx')
const crates = ['.', 'app', 'server', 'bench']

// The macros only look at what is compiled again.
function touchSources() {
  const now = new Date()
  for (const crate of crates) {
    for (const name of ['lib.rs', 'main.rs']) {
      const file = join(root, crate, 'src', name)
      if (existsSync(file)) utimesSync(file, now, now)
    }
  }
}

const contents = (folder) =>
  existsSync(folder) ? readdirSync(folder).sort().map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`) : []

// As the program does at start, which can't be built before this is done.
async function migrate(url) {
  const folder = join(root, 'migrations')
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql')).sort()
  const steps = ['-c', 'create table _sqlx_migrations (version bigint primary key)', ...files.flatMap((name) => ['-f', join(folder, name)])]
  return run('psql', ['--quiet', '--no-psqlrc', '--single-transaction', '--set', 'ON_ERROR_STOP=1', '--dbname', url, ...steps])
}

async function main() {
  const cluster = await startCluster()
  // Beside the target, so that the rename stays within one file system.
  mkdirSync(join(root, 'target'), { recursive: true })
  const fresh = mkdtempSync(join(root, 'target', 'sqlx-'))
  const finish = (code) => {
    cluster.stop()
    rmSync(fresh, { recursive: true, force: true })
    process.exit(code)
  }
  stopOnSignals(() => finish(130))
  const env = { ...process.env, DATABASE_URL: cluster.url, SQLX_OFFLINE: 'false', SQLX_OFFLINE_DIR: fresh }
  if ((await migrate(cluster.url)) !== 0) finish(1)
  touchSources()
  // Tests ask the database in their own words, unchecked, so they are left out.
  const packages = ['--workspace', '--exclude', 'sandbox', '--exclude', 'islands', '--exclude', 'domain']
  if ((await run('cargo', ['check', '--quiet', ...packages], { env })) !== 0) finish(1)
  const same = contents(kept).join('') === contents(fresh).join('')
  if (checking) {
    if (!same) console.error('.sqlx is stale; make sqlx refreshes it')
    finish(same ? 0 : 1)
  }
  if (!same) {
    rmSync(kept, { recursive: true, force: true })
    renameSync(fresh, kept)
  }
  console.log(`.sqlx holds ${readdirSync(kept).length} queries${same ? ', unchanged' : ''}`)
  finish(0)
}

await main()
