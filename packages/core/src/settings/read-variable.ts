import type { Environment } from '../base/environment.ts'
import type { Variables } from './env-file.ts'
import { failed, type Reading } from './reader.ts'
import type { Variable } from './variable.ts'

/** An empty variable counts as not set. */
export const isSet = (name: string, variables: Variables): boolean => (variables[name] ?? '') !== ''

/** The value of a variable in an environment; undefined for an optional one that is not set. A `message` continues after the name. */
export function readVariable(
  { name, reader, options }: Variable,
  variables: Variables,
  environment: Environment,
): Reading<unknown> {
  const text = variables[name] ?? ''
  if (text === '') return whenUnset({ reader, options }, environment)
  const { secret = false, check, expects } = options
  const reading = reader.read(text)
  if (!reading.ok) {
    // The message of a schema may describe the value, which must not happen for a secret.
    if (expects !== undefined && reading.ofEntry !== true) return failed(`must be ${expects}`)
    return secret ? failed(`must be ${reader.expects} (no details of a secret are shown)`) : reading
  }
  const problem = check?.(reading.value) ?? null
  return problem === null ? reading : failed(problem)
}

function whenUnset(
  { reader, options }: Pick<Variable, 'reader' | 'options'>,
  environment: Environment,
): Reading<unknown> {
  const { defaults, optional = false, requiredIn = [], about } = options
  const value = options.default ?? defaults?.[environment]
  if (value !== undefined) return { ok: true, value }
  const isRequiredHere = requiredIn.includes(environment)
  if (optional && !isRequiredHere) return { ok: true, value: undefined }
  const where = isRequiredHere || defaults !== undefined ? ` in ${environment}` : ''
  return failed(`is required${where}: set it to ${options.expects ?? reader.expects} (${about})`)
}
