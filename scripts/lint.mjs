#!/usr/bin/env node
// What no compiler refuses and no review may miss: places where text of a stranger would become markup, SQL or a change.
// Each rule names its row of docs/security.md; what stands in `allowed` was looked at and is said why.

import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './processes.mjs'

const pages = ['app/src', 'islands/src']
const program = ['app/src', 'islands/src', 'domain/src', 'server/src', 'src', 'sandbox/src']

export const rules = [
  {
    row: 'T53', what: 'a <Title> with text that is not written here: Leptos writes it unescaped', folders: pages,
    pattern: /<Title\s+text=(?!")/g,
    // One of a few words of our own.
    allowed: { 'app/src/parts/problem.rs': 1 },
  },
  {
    row: 'T53', what: 'children of a <textarea>: Leptos writes them unescaped', folders: pages,
    pattern: /<textarea\b[^>]*>(?!\s*<\/textarea>)/g, allowed: {},
  },
  {
    row: 'T53', what: 'inner_html', folders: pages, pattern: /\binner_html\s*=/g,
    // A note that is typed again; escape_text escapes it.
    allowed: { 'app/src/parts/text_area.rs': 1 },
  },
  {
    row: 'T53', what: 'a <script> or <style> in a view', folders: pages, pattern: /<(script|style)\b/g, allowed: {},
  },
  {
    row: 'T53', what: 'markup that was not drawn by a view', folders: pages, pattern: /\b(InertElement|set_inner_html|insert_adjacent_html|innerHTML)\b/g,
    // The head, drawn once by a view.
    allowed: { 'app/src/shell.rs': 2 },
  },
  { row: 'T53', what: 'an address that runs as a script', folders: pages, pattern: /javascript:/gi, allowed: {} },
  { row: 'T42', what: 'a server function that takes GET', folders: program, pattern: /\bGet(Url|Cbor|Json|Postcard|Msgpack|Rkyv|MultiPart)\b|\bmethod\s*=\s*"GET"/g, allowed: {} },
  { row: 'T57', what: 'the text of an error in the answer of a server function', folders: pages, pattern: /ServerFnError::|ServerFnErrorErr/g, allowed: {} },
  { row: 'T61', what: 'SQL that is put together from parts', folders: program, pattern: /\bAssertSqlSafe\b|\bQueryBuilder\b|\braw_sql\b/g, allowed: {} },
]

/** Every Rust file of a folder, without its tests. */
function* files(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) {
      if (name !== 'tests') yield* files(path)
    } else if (name.endsWith('.rs') && name !== 'tests.rs') {
      yield path
    }
  }
}

export const withoutTests = (text) => text.split(/^#\[cfg\(test\)\]\n(?:#!?\[.*\n)*mod \w+ \{/m)[0].replaceAll(/^\s*\/\/.*$/gm, (line) => ' '.repeat(line.length))

/** What breaks a rule: `path:line row what`. */
export function findings(read = (path) => readFileSync(path, 'utf8')) {
  const found = []
  for (const { row, what, folders, pattern, allowed } of rules) {
    for (const folder of folders) {
      for (const path of files(join(root, folder))) {
        const name = relative(root, path)
        const text = withoutTests(read(path))
        const hits = [...text.matchAll(pattern)]
        if (hits.length <= (allowed[name] ?? 0)) continue
        for (const { index } of hits) found.push(`${name}:${text.slice(0, index).split('\n').length}: ${row}: ${what}`)
      }
    }
  }
  return found
}

if (process.argv[1] === import.meta.filename) {
  const found = findings()
  for (const line of found) console.error(line)
  process.exit(found.length === 0 ? 0 : 1)
}
