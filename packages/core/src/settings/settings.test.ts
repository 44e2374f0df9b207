import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as v from 'valibot'
import { afterAll, describe, expect, it } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { option } from '../base/option.ts'
import { settingsGroup } from './group.ts'
import { defineSettings, type SettingsGroups, type SettingsSource } from './settings.ts'
import { type Variable, variable } from './variable.ts'

const about = 'Of the test'

/** The lines of the report. */
function problems(groups: SettingsGroups, source: SettingsSource['variables'] | SettingsSource): string[] {
  const full = source !== undefined && ('variables' in source || 'envFile' in source) ? source : { variables: source }
  try {
    // `source` is one of the two, told apart above.
    defineSettings(groups).read(full as SettingsSource)
  } catch (error) {
    if (!(error instanceof BootError)) throw error
    expect(error.code).toBe('bad_settings')
    const [head, ...lines] = error.message.split('\n')
    expect(head).toBe('Invalid settings:')
    return lines.map((line) => line.replace(/^ {2}/, ''))
  }
  return []
}

const read = (value: Variable, text: string): unknown =>
  defineSettings({ group: { value } }).read({ variables: { X: text } }).group.value

describe('a setting', () => {
  it.each([
    [variable.text('X', { about }), ' a b ', ' a b '],
    [variable.integer('X', { about, min: -5 }), '-5', -5],
    [variable.number('X', { about }), '-0.25', -0.25],
    [variable.flag('X', { about }), 'false', false],
    [variable.duration('X', { about }), '2', 2000],
    [variable.duration('X', { about, unit: 'ms' }), '250', 250],
    [variable.duration('X', { about }), '250ms', 250],
    [variable.duration('X', { about }), '1.5s', 1500],
    [variable.duration('X', { about }), '5m', 300_000],
    [variable.bytes('X', { about }), '1048576', 1_048_576],
    [variable.bytes('X', { about }), '512KiB', 524_288],
    [variable.oneOf('X', ['info', 'warn'], { about, aliases: { WARNING: 'warn' } }), 'WARNING', 'warn'],
    [variable.list('X', { about }), '["a","b"]', ['a', 'b']],
    [variable.of('X', v.pipe(v.string(), v.transform(Number)), { about }), '7', 7],
  ])('%#: is read, strictly', (one, text, value) => {
    expect(read(one, text)).toEqual(value)
  })

  const integer = variable.integer('X', { about, max: 65_535 })
  const duration = variable.duration('X', { about })
  const durationSentence = 'X must be a duration from 0ms to 1d (such as 500ms, 2s or 5m; a number alone is seconds)'
  const list = variable.list('X', { about })
  const listSentence = 'X must be a JSON list of strings, such as ["a","b"]'
  it.each<readonly [Variable, string, string]>([
    ...['65536', '-1', '80a', '0x50', '1e3', '8000.5', ' 8000', '08000', '+1', '٣'].map(
      (text) => [integer, text, 'X must be an integer from 0 to 65535'] as const,
    ),
    [variable.number('X', { about, max: 1 }), '1.5', 'X must be a number of at most 1'],
    [variable.number('X', { about }), 'NaN', 'X must be a number'],
    ...['yes', 'TRUE', '1'].map((text) => [variable.flag('X', { about }), text, 'X must be true or false'] as const),
    ...['2 s', '2S', 's', '1w', '25h', '-1s', '0.0001ms', '1.s'].map(
      (text) => [duration, text, durationSentence] as const,
    ),
    [
      variable.bytes('X', { about, max: 1024 ** 3 }),
      '1MB',
      'X must be a size from 1B to 1GiB (such as 512KiB or 1MiB; a number alone is bytes)',
    ],
    [variable.oneOf('X', ['open', 'closed'], { about }), 'Open', 'X must be one of open, closed'],
    ...['a,b', '"a"', '{"a":1}', '["a"'].map((text) => [list, text, listSentence] as const),
    [list, '["a", 1]', 'X entry 2 must be a string that is not empty'],
    [list, '[""]', 'X entry 1 must be a string that is not empty'],
    [
      variable.text('X', { about, expects: 'short', check: (text) => (text.length < 3 ? null : 'is long') }),
      'abc',
      'X is long',
    ],
    [variable.integer('X', { about, expects: 'a port' }), 'abc', 'X must be a port'],
  ])('%#: is refused in a sentence', (one, text, sentence) => {
    expect(problems({ group: { one } }, { X: text })).toEqual([sentence])
  })

  it('is read by the rule of an option, with its bounds, default and presence', () => {
    const retries = option.integer({ min: 1, max: 10, default: 3 })
    const hosts = option.list({
      of: option.string({ expects: 'a host name', test: (host) => /^\w+$/.test(host) }),
      expects: 'a list of host names',
    })
    const group = {
      retries: variable.option('RETRIES', retries, { about }),
      waitMs: variable.option('WAIT', option.duration({ max: 60_000, default: 500 }), { about, unit: 'ms' }),
      size: variable.option('SIZE', option.bytes({ default: 1024 }), { about }),
      ratio: variable.option('RATIO', option.number(), { about }),
      isOn: variable.option('ON', option.flag({ default: true }), { about }),
      mode: variable.option('MODE', option.choice(['fast', 'safe'], { default: 'safe' }), {
        about,
        aliases: { F: 'fast' },
      }),
      hosts: variable.option('HOSTS', hosts, { about }),
      key: variable.option('KEY', option.string({ required: true }), { about, secret: true }),
    }
    const declared = defineSettings({ group })
    expect(declared.read({ variables: { KEY: 'k' } }).group).toEqual({
      retries: 3,
      waitMs: 500,
      size: 1024,
      isOn: true,
      mode: 'safe',
      key: 'k',
    })
    const variables = {
      RETRIES: '10',
      WAIT: '20',
      SIZE: '2KiB',
      RATIO: '0.5',
      ON: 'false',
      MODE: 'F',
      HOSTS: '["a"]',
      KEY: 'k',
    }
    expect(declared.read({ variables }).group).toEqual({
      retries: 10,
      waitMs: 20,
      size: 2048,
      ratio: 0.5,
      isOn: false,
      mode: 'fast',
      hosts: ['a'],
      key: 'k',
    })
    expect(problems({ group }, { RETRIES: '0', WAIT: '2m', MODE: 'slow', HOSTS: '["a","b c"]' })).toEqual([
      'RETRIES must be an integer from 1 to 10',
      'WAIT must be a duration from 0ms to 1m (such as 500ms, 2s or 5m; a number alone is milliseconds)',
      'MODE must be one of fast, safe',
      'HOSTS entry 2 must be a host name',
      'KEY is required: set it to a string that is not empty (Of the test)',
    ])
  })

  it('that is not set has its default, or is left out, or is an error', () => {
    const group = {
      always: variable.integer('ALWAYS', { about, default: 3 }),
      byEnvironment: variable.text('BY', { about, defaults: { dev: 'd', staging: 's' } }),
      optional: variable.text('OPTIONAL', { about, optional: true, requiredIn: ['production'] }),
    }
    const declared = defineSettings({ group })
    expect(declared.read({ variables: { ALWAYS: '', OPTIONAL: '' } })).toEqual({
      environment: 'dev',
      group: { always: 3, byEnvironment: 'd' },
    })
    expect(declared.read({ variables: { ENV: 'staging' } }).group.byEnvironment).toBe('s')
    expect(declared.read({ variables: {}, environment: 'staging' }).environment).toBe('staging')
    expect(problems({ group, more: { must: variable.flag('MUST', { about }) } }, { ENV: 'production' })).toEqual([
      'BY is required in production: set it to a string (Of the test)',
      'OPTIONAL is required in production: set it to a string (Of the test)',
      'MUST is required: set it to true or false (Of the test)',
    ])
  })

  it('is checked with all others, also where the environment is not known', () => {
    expect(problems({ a: { a: integer }, b: { b: variable.flag('B', { about }) } }, { ENV: 'prd', X: 'x' })).toEqual([
      "ENV must be one of dev, test, staging, production, not 'prd'",
      'X must be an integer from 0 to 65535',
      'B is required: set it to true or false (Of the test)',
    ])
  })
})

describe('a schema of a setting', () => {
  const value = 'hunter2-of-the-admin'
  it.each([
    [v.pipe(v.string(), v.email()), 'X is invalid: Invalid email'],
    [v.pipe(v.string(), v.minLength(99)), 'X is invalid: Invalid length: Expected >=99'],
    [v.picklist(['a', 'b']), 'X is invalid: Invalid type: Expected ("a" | "b")'],
    [
      v.pipe(
        v.string(),
        v.check(() => false, `'${value}' will not do`),
      ),
      "X is invalid: '…' will not do",
    ],
    [
      v.pipe(
        v.string(),
        v.check(() => false, 'It has "hunter2" in it'),
      ),
      'X is invalid: It has "…" in it',
    ],
    [
      v.pipe(
        v.string(),
        v.transform((text) => JSON.parse(text)),
      ),
      'X is invalid: its schema threw an error',
    ],
  ])('%#: says what it wants and not what it got', (schema, sentence) => {
    expect(problems({ a: { a: variable.of('X', schema, { about }) } }, { X: value })).toEqual([sentence])
  })

  it('is silent about a secret, unless the declaration says what it has to be', () => {
    const schema = v.pipe(
      v.string(),
      v.check(() => false, 'must begin with sk-'),
    )
    const silent = variable.of('X', schema, { about, secret: true })
    const spoken = variable.of('X', schema, { about, secret: true, expects: 'a key that begins with sk-' })
    expect(problems({ a: { silent } }, { X: value })).toEqual([
      'X must be a string that its schema accepts (no details of a secret are shown)',
    ])
    expect(problems({ a: { spoken } }, { X: value })).toEqual(['X must be a key that begins with sk-'])
  })

  it('must not be asynchronous', () => {
    const schema = v.pipeAsync(
      v.string(),
      v.checkAsync(async () => true),
    )
    expect(() => read(variable.of('X', schema, { about }), 'a')).toThrow(
      new BootError('bad_option', 'The schema of the variable X is asynchronous: settings are read synchronously'),
    )
  })
})

describe('settings as they were read', () => {
  const declared = defineSettings({
    mail: settingsGroup({
      variables: {
        key: variable.text('KEY', { about, secret: true, optional: true }),
        tags: variable.list('TAGS', { about, default: ['a'] }),
      },
      to: ({ key = '', tags }) => ({
        url: `smtp://me:${encodeURIComponent(key)}@host`,
        key,
        tags,
        nested: { list: [key] },
      }),
    }),
    plain: { name: variable.text('NAME', { about, default: 'twin' }) },
  })
  const settings = declared.read({ variables: { KEY: 'p@ss word' } })

  it('are frozen at every depth', () => {
    for (const each of [settings, settings.mail, settings.mail.tags, settings.mail.nested, settings.mail.nested.list]) {
      expect(Object.isFrozen(each)).toBe(true)
    }
  })

  it('print without secrets, even as parts of other values, and keep them', () => {
    expect(settings.mail.key).toBe('p@ss word')
    expect({ ...settings.mail }).toEqual({
      url: 'smtp://me:p%40ss%20word@host',
      key: 'p@ss word',
      tags: ['a'],
      nested: { list: ['p@ss word'] },
    })
    for (const text of [
      inspect(settings, { depth: 9 }),
      inspect(settings.mail),
      JSON.stringify(settings),
      JSON.stringify(settings.mail.nested),
    ]) {
      expect(text).toContain('[secret]')
      expect(text).not.toMatch(/p(@|%40)ss/)
    }
    expect(JSON.stringify(settings.plain)).toBe('{"name":"twin"}')
  })
})

it('does not print the entries of a secret list', () => {
  const keys = settingsGroup({
    variables: { all: variable.list('KEYS', { about: 'Keys', secret: true }) },
    to: (values) => values,
  })
  const read = defineSettings({ keys }).read({ variables: { KEYS: '["hunter2","hunter3"]' } })
  expect(read.keys.all).toEqual(['hunter2', 'hunter3'])
  expect(inspect(read, { depth: 9 })).not.toContain('hunter')
  expect(JSON.stringify(read)).toBe('{"environment":"dev","keys":{"all":["[secret]","[secret]"]}}')
})

describe('a variable that is not supported', () => {
  const cache = settingsGroup({
    variables: { size: variable.integer('CACHE_SIZE', { about, default: 1 }) },
    unsupported: { CACHE_DIR: 'the cache is in memory; remove it' },
    to: ({ size }) => size,
  })

  it('is an error when it is set, like all others, and without its value', () => {
    expect(problems({ cache }, { CACHE_DIR: '/secret', CACHE_SIZE: 'x' })).toEqual([
      expect.stringContaining('CACHE_SIZE must be an integer'),
      'CACHE_DIR is not supported: the cache is in memory; remove it',
    ])
    for (const variables of [{}, { CACHE_DIR: '' }]) expect(problems({ cache }, variables)).toEqual([])
  })

  it('is none when another group of the app reads it', () => {
    const other = { folder: variable.text('CACHE_DIR', { about }) }
    expect(defineSettings({ cache, other }).read({ variables: { CACHE_DIR: '/tmp' } })).toMatchObject({
      cache: 1,
      other: { folder: '/tmp' },
    })
  })

  it('is described beside the tables', () => {
    const { unsupported, ...description } = defineSettings({ cache }).describe()
    expect(unsupported).toEqual([{ group: 'cache', name: 'CACHE_DIR', instead: 'the cache is in memory; remove it' }])
    expect(String({ toString: description.toString })).toContain('| `CACHE_DIR` | the cache is in memory; remove it |')
  })
})

describe('a declaration of settings', () => {
  it('refuses what would be read twice, or never as it is meant', () => {
    const name = variable.text('NAME', { about })
    expect(() => defineSettings({ a: { name }, b: { name } })).toThrow(
      new BootError('bad_option', "defineSettings: the variable NAME is declared in 'a' and in 'b': declare it once"),
    )
    expect(() => defineSettings({ a: { env: variable.text('ENV', { about }) } })).toThrow(
      "the variable ENV is declared in 'environment' and in 'a': declare it once",
    )
    expect(() => defineSettings({ environment: { name } })).toThrow(
      "defineSettings: the name 'environment' is reserved: choose another name for the group",
    )
    expect(() => variable.text('MY-NAME', { about })).toThrow(
      "'MY-NAME' is not a valid variable name: use letters, digits and _",
    )
    expect(() => variable.text('NAME', { about, default: 'a', optional: true })).toThrow(
      'The variable NAME has default and optional: keep one of them',
    )
    // From JavaScript.
    const odd = { about, defualt: 'a' }
    expect(() => variable.text('NAME', odd)).toThrow(
      "The variable NAME: defualt is not an option. Did you mean 'default'?",
    )
  })

  it('is described as data and as a table, without the default of a secret', () => {
    const { settings, ...description } = defineSettings({
      own: {
        timeout: variable.duration('TIMEOUT', { about: 'Time', defaults: { dev: 1500, test: 1500, staging: 60_000 } }),
        key: variable.text('KEY', { about: 'Key', secret: true, default: 'hunter2' }),
        size: variable.bytes('SIZE', { about: 'a|b', optional: true, whenUnset: 'none' }),
      },
    }).describe()
    expect(settings.map(({ name }) => name)).toEqual(['ENV', 'TIMEOUT', 'KEY', 'SIZE'])
    expect(settings[1]?.defaults).toEqual({
      dev: '`1500ms`',
      test: '`1500ms`',
      staging: '`1m`',
      production: 'required',
    })
    expect(String(description.toString())).toContain(
      [
        '## own',
        '',
        '| name | type | default | what it does |',
        '|---|---|---|---|',
        '| `TIMEOUT` | a duration from 0ms to 1d (such as 500ms, 2s or 5m; a number alone is seconds) | ' +
          'dev, test: `1500ms`; staging: `1m`; production: required | Time |',
        '| `KEY` | a string | a default | Key. **Secret** |',
        '| `SIZE` | a size of at least 1B (such as 512KiB or 1MiB; a number alone is bytes) | none | a\\|b |',
      ].join('\n'),
    )
    expect(String(description.toString())).not.toContain('hunter2')
  })
})

describe('a file of variables', () => {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-settings-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const write = (text: string): string => {
    const file = join(folder, 'some.env')
    writeFileSync(file, text)
    return file
  }
  const group = { a: variable.text('A', { about, optional: true }), b: variable.text('B', { about, optional: true }) }
  const declared = defineSettings({ group })

  it('gives what the environment does not; an empty variable of the environment does not count', () => {
    const envFile = write('# both\nA="from # file"\nB=from file\nENV=staging\n')
    expect(declared.read({ envFile, variables: { A: 'real', B: '' } })).toEqual({
      environment: 'staging',
      group: { a: 'real', b: 'from file' },
    })
    expect(declared.read({ envFile: write('\uFEFFA=1\r\nB=2\r\n'), variables: {} }).group).toEqual({ a: '1', b: '2' })
  })

  it.each([
    ['a line of spaces before a name', '# said\n   \nA=1\n \t\nB=2'],
    ['a tab before a name', '\tA=1\n\texport B=2'],
    ['spaces behind export', 'export  A=1\nexport\tB=2'],
    ['spaces behind names', 'A\t= 1\n\n  B  =2  # said'],
  ])('has both names with %s', (_what, text) => {
    expect(declared.read({ envFile: write(text), variables: {} }).group).toEqual({ a: '1', b: '2' })
  })

  it('must be there when it is named', () => {
    const envFile = join(folder, 'none.env')
    expect(problems({ group }, { envFile, variables: {} })).toEqual([
      `The file ${envFile} cannot be read (ENOENT): make it readable, or do not set it`,
    ])
    expect(problems({ group }, { envFile: folder, variables: {} })).toEqual([
      `The file ${folder} cannot be read (EISDIR): make it readable, or do not set it`,
    ])
    expect(declared.read({ variables: {} }).group).toEqual({})
  })

  it('with a line that is none is told by its place', () => {
    const envFile = write('A=1\n\nhunter2 without a name\nB=2\n')
    expect(problems({ group }, { envFile, variables: {} })).toEqual([
      `Line 3 of the file ${envFile} is not NAME=value: correct it or put # before it`,
    ])
  })

  it('with lines that are none at its end, after a value of several lines and after a quote without an end', () => {
    const envFile = write('\uFEFFexport A="1\nno name\n2" # said\r\n\t# none\nhunter2\n B = \'2\nx y=3\nlast')
    expect(problems({ group }, { envFile, variables: {} })).toEqual(
      [5, 7, 8].map((line) => `Line ${line} of the file ${envFile} is not NAME=value: correct it or put # before it`),
    )
  })
})
