// Starting programs, following them and stopping them together. Each runs in a process group of its own, so that one
// Ctrl-C in the terminal reaches us, and we stop them in order.

import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const stopTimeoutMs = 40_000
const running = []

/** Whether a stop was asked for. */
export let stopping = false

/** Calls `then` once, at Ctrl-C, SIGTERM or a closed terminal, after everything started here has stopped. */
export function stopOnSignals(then = () => process.exit(0)) {
  let asked = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, async () => {
      asked += 1
      if (asked > 1) return running.forEach((child) => kill(child, 'SIGTERM'))
      await stopAll()
      await then()
    })
  }
}

function start(program, args, options) {
  const child = spawn(program, args, { cwd: root, detached: true, ...options })
  running.push(child)
  child.ended = new Promise((settle) => {
    child.on('error', (error) => settle({ code: 127, error }))
    child.on('exit', (code, signal) => settle({ code: code ?? 1, signal }))
  }).finally(() => running.splice(running.indexOf(child), 1))
  return child
}

/** Runs a program to its end and gives its exit code; its words go where ours go. */
export async function run(program, args, options = {}) {
  const { code, error } = await start(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options }).ended
  if (error) console.error(`${program}: ${error.message}`)
  return code
}

/** The same, and what it wrote to standard output, which is passed on too unless it is to be `quiet`. */
export async function runAndRead(program, args, { quiet = false, ...options } = {}) {
  const child = start(program, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part
    if (!quiet) process.stdout.write(part)
  })
  const closed = new Promise((settle) => child.stdout.on('close', settle))
  const { code } = await child.ended
  await closed
  return { code, text }
}

/** Starts a server and waits for its line "… listening on URL". Its log goes to a file. */
export async function startServer(program, args, { env, log }) {
  const file = openSync(log, 'w')
  const child = start(program, args, { env, stdio: ['ignore', 'pipe', file] })
  closeSync(file)
  let text = ''
  const address = new Promise((found) => {
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text = (text + part).slice(-4_000)
      const line = text.match(/listening on (http:\/\/\S+)/)
      if (line) found(line[1])
    })
  })
  const early = child.ended.then(() => undefined)
  return { child, address: await Promise.race([address, early]), lastWords: () => lastLines(log) }
}

function lastLines(log, count = 12) {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

/** Stops one program and waits for its end. */
export async function stop(child) {
  kill(child, 'SIGTERM')
  const timer = setTimeout(() => kill(child, 'SIGKILL'), stopTimeoutMs)
  await child.ended
  clearTimeout(timer)
}

/** Stops everything that runs, the last started first. */
export async function stopAll() {
  stopping = true
  for (const child of [...running].reverse()) await stop(child)
}

/** Whether nothing listens there. */
export function isFree(host, port) {
  return new Promise((answer) => {
    const probe = createServer()
    probe.once('error', () => answer(false))
    probe.listen(Number(port), host, () => probe.close(() => answer(true)))
  })
}

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((found, failed) => {
    const probe = createServer()
    probe.once('error', failed)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => found(port))
    })
  })
}
