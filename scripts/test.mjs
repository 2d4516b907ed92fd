#!/usr/bin/env node
// `make test`: every check and test there is, against a throw-away PostgreSQL and in a real browser. The last line
// counts them. Words after the command choose what runs: scripts/test.mjs format lints rust storm browser

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from './cluster.mjs'
import { root, run, runAndRead, stopOnSignals } from './processes.mjs'

const began = Date.now()
const counts = { passed: 0, failed: 0 }
const failures = []
const chosen = process.argv.slice(2)

function count(name, passed, failed) {
  counts.passed += passed
  counts.failed += failed
  if (failed > 0) failures.push(name)
}

async function check(name, program, args, env) {
  console.log(`\n== ${name}`)
  const code = await run(program, args, { env })
  count(name, code === 0 ? 1 : 0, code === 0 ? 0 : 1)
  return code === 0
}

async function rustTests(env, which = ['--workspace', '--no-fail-fast']) {
  console.log('\n== Rust tests')
  const { code, text } = await runAndRead('cargo', ['test', ...which], { env })
  let failed = 0
  for (const [, passed, broken] of text.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
    count('Rust tests', Number(passed), Number(broken))
    failed += Number(broken)
  }
  // It ended badly without a failed test: something did not compile, or a test binary died.
  if (code !== 0 && failed === 0) count('Rust tests', 0, 1)
}

function browserTests() {
  const folders = ['end2end', 'end2end/design', 'end2end/sdk', 'scripts'].filter((folder) => existsSync(join(root, folder)))
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder)).filter((name) => name.endsWith('.test.mjs')).map((name) => `${folder}/${name}`),
  )
}

async function nodeTests(env) {
  const files = browserTests()
  if (files.length === 0) return
  console.log('\n== Browser and SDK tests')
  const folder = mkdtempSync(join(tmpdir(), 'atlas-test-'))
  const report = join(folder, 'report.tap')
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout', '--test-reporter=tap', `--test-reporter-destination=${report}`]
  // Each file starts servers and browsers of its own; more than two at a time slow each other down.
  const code = await run(process.execPath, ['--test', '--test-concurrency=2', ...reporters, ...files], { env })
  const text = existsSync(report) ? readFileSync(report, 'utf8') : ''
  rmSync(folder, { recursive: true, force: true })
  const number = (word) => Number(text.match(new RegExp(`^# ${word} (\\d+)$`, 'm'))?.[1] ?? 0)
  const failed = number('fail') + number('cancelled')
  count('browser tests', number('pass'), failed)
  if (code !== 0 && failed === 0) count('browser tests', 0, 1)
}

const minutesSince = (start) => `${((Date.now() - start) / 60_000).toFixed(1)} minutes`

async function timed(step) {
  const start = Date.now()
  await step()
  console.log(minutesSince(start))
}

async function main() {
  const cluster = await startCluster()
  const finish = (code) => {
    cluster.stop()
    process.exit(code)
  }
  stopOnSignals(() => finish(130))
  // The macros read the checked-in descriptions; DATABASE_URL is for the tests that run.
  const env = { ...process.env, SQLX_OFFLINE: 'true', DATABASE_URL: cluster.url, CARGO_TERM_COLOR: process.stdout.isTTY ? 'always' : 'never' }
  const steps = {
    format: () => check('format', 'cargo', ['fmt', '--all', '--check'], env),
    lints: () => check('lints', 'cargo', ['clippy', '--quiet', '--workspace', '--all-targets'], env),
    rules: () => check('rules for what no compiler refuses', process.execPath, ['scripts/lint.mjs'], env),
    dependencies: () => check('licences, bans and sources of dependencies', 'scripts/deny', [], env),
    // Programs and tests in one go, so that what they share is compiled once.
    build: () => check('build', 'cargo', ['build', '--workspace', '--all-targets'], env),
    site: () => check('site and its budgets', process.execPath, ['scripts/build-site.mjs', '--check'], env),
    rust: () => rustTests(env),
    // Always the same one, so that a failure can be had again; `make chaos` takes another each time.
    storm: () => check('a short storm', 'target/debug/bench', ['--atlas', 'target/debug/atlas', 'chaos', '--seed', '251237'], env),
    browser: () => nodeTests(env),
  }
  // Too long for every day; only when asked for.
  const rare = {
    sequences: () => rustTests(env, ['--package', 'atlas', '--test', 'it', '--', '--ignored', '--nocapture']),
  }
  try {
    for (const [name, step] of Object.entries(steps)) {
      if (chosen.length === 0 || chosen.includes(name)) await timed(step)
    }
    for (const [name, step] of Object.entries(rare)) {
      if (chosen.includes(name)) await timed(step)
    }
  } catch (error) {
    console.error(error)
    count('the run itself', 0, 1)
  }
  console.log(`\n${minutesSince(began)}${failures.length > 0 ? `; failed: ${[...new Set(failures)].join(', ')}` : ''}`)
  console.log(`${counts.passed} passed, ${counts.failed} failed`)
  finish(counts.failed === 0 && counts.passed > 0 ? 0 : 1)
}

await main()
