import type { Environment } from '../base/environment.ts'
import type { Variables } from './env-file.ts'
import { failed, type Reading } from './reader.ts'
import type { Variable } from './variable.ts'

/** An empty variable counts as not set. */
export const isSet = (name: string, variables: Variables): boolean => (variables[name] ?? '') !== ''

/** The value of a variable in an environment; undefined for an optional one that is not set. `message` follows the name. */
export function readVariable(
  { name, reader, options }: Variable,
  variables: Variables,
  environment: Environment,
): Reading<unknown> {
  const text = variables[name] ?? ''
  if (text === '') return whenUnset(name, { reader, options }, environment)
  const { secret = false, check, expects } = options
  const reading = reader.read(text)
  if (!reading.ok) {
    // A schema's words may be about the value, and with a secret that is too much.
    if (expects !== undefined && reading.ofEntry !== true) return failed(`must be ${expects}`)
    return secret ? failed(`must be ${reader.expects} (no details of a secret are shown)`) : reading
  }
  const mistake = check?.(reading.value) ?? null
  return mistake === null ? reading : failed(mistake)
}

function whenUnset(
  name: string,
  { reader, options }: Pick<Variable, 'reader' | 'options'>,
  environment: Environment,
): Reading<unknown> {
  const { defaults, optional = false, requiredIn = [], about } = options
  const value = options.default ?? defaults?.[environment]
  if (value !== undefined) return { ok: true, value }
  const isRequiredHere = requiredIn.includes(environment)
  if (optional && !isRequiredHere) return { ok: true, value: undefined }
  const where = isRequiredHere || defaults !== undefined ? `, and in ${environment} it has to be` : ''
  return failed(`is not set${where}: set ${name} to ${options.expects ?? reader.expects} (${about})`)
}
