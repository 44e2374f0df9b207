/** A path of OpenAPI, with the parameters of the pattern. */
export interface TemplatePath {
  readonly template: string
  readonly parameters: readonly { readonly name: string; readonly isWildcard: boolean }[]
}

/**
 * @example
 * toTemplate('/files/:album/*path') // template '/files/{album}/{path}'
 */
export function toTemplate(pattern: string): TemplatePath {
  const parameters: { name: string; isWildcard: boolean }[] = []
  const segments = pattern.split('/').map((segment) => {
    const [, kind, name = ''] = /^([:*])(.*)$/.exec(segment) ?? []
    if (kind === undefined) return segment
    const parameter = { name: name === '' ? 'rest' : name, isWildcard: kind === '*' }
    parameters.push(parameter)
    return `{${parameter.name}}`
  })
  return { template: segments.join('/'), parameters }
}

/** Two templates that differ in names of parameters only are the same path to OpenAPI. */
export function toShape(template: string): string {
  return template.replace(/\{[^}]*\}/g, '{}')
}
