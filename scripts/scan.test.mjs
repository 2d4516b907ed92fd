// Whether the scan looks at everything: every door of the table of rights, and every parameter that a page reads.

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './processes.mjs'
import { forms, targets } from './scan-targets.mjs'

const scene = { email: 'x@example.com', plan: 'PLAN', order: 'ID', person: 'PERSON', key: 'KEY' }
const all = ['an admin', 'a buyer'].flatMap((who) => targets(scene, who))
const read = (path) => readFileSync(join(root, path), 'utf8')

test('every door but those of machines is scanned', () => {
  const constants = Object.fromEntries([...read('domain/src/paths.rs').matchAll(/pub const (\w+): &str = "([^"]+)"/g)].map(([, name, path]) => [name, path]))
  const doors = [...read('server/src/rights.rs').matchAll(/^ {4}door\((?:"([^"]+)"|paths::(\w+)), (Page|Form|File|Stream|Api),/gm)].map(([, path, name]) => path ?? constants[name])
  assert.ok(doors.length > 100, `${doors.length} doors were read`)
  const scanned = new Set(all.map(({ path }) => path.split('?')[0]))
  const isScanned = (door) => [...scanned].some((path) => new RegExp(`^${door.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
  // Forms without a field have nothing to put anything into.
  const without = forms().filter(({ fields }) => fields.length === 0).map(({ path }) => path)
  assert.deepEqual(doors.filter((door) => !isScanned(door) && !without.includes(door)), [])
})

test('every parameter that a page reads is scanned', () => {
  const pages = readdirSync(join(root, 'app/src/pages'), { recursive: true }).filter((name) => name.endsWith('.rs'))
  const asked = new Set(pages.flatMap((name) => [...read(`app/src/pages/${name}`).matchAll(/\bquery\("(\w+)"\)/g)].map(([, parameter]) => parameter)))
  const described = Object.values(JSON.parse(read('docs/openapi.json')).paths).flatMap((methods) => Object.values(methods)).flatMap(({ parameters = [] }) => parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name))
  const scanned = new Set(all.flatMap(({ path }) => [...new URLSearchParams(path.split('?')[1]).keys()]))
  assert.ok(asked.size > 20 && described.length > 5)
  assert.deepEqual([...asked, ...described].filter((name) => !scanned.has(name)), [])
})
