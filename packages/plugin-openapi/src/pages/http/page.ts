// The HTTP side of the app by Swagger UI.

interface SwaggerOptions {
  readonly spec: object
  readonly domNode: Element
  readonly deepLinking: boolean
  readonly displayRequestDuration: boolean
  readonly defaultModelsExpandDepth: number
  readonly supportedSubmitMethods?: readonly string[]
  /** Sends the document to that address. */
  readonly validatorUrl: null
}

declare const SwaggerUIBundle: (options: SwaggerOptions) => unknown

interface Server {
  readonly url: string
  readonly description?: string
}

interface OpenApiDocument {
  readonly info?: { readonly title?: string }
  readonly servers?: readonly Server[]
  readonly jsonSchemaDialect?: string
}

const { openapi = '', http = '', websocket = '', root = '' } = document.documentElement.dataset

function find(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no element ${id}`)
  return element
}

function link(id: string, to: string): void {
  if (to === '') find(id).remove()
  else find(id).setAttribute('href', to)
}

link('http', http || '#')
link('websocket', websocket)
link('document', openapi)
followColours()
const api = find('api')
try {
  show(await read())
} catch (error) {
  const message = document.createElement('p')
  message.className = 'message'
  message.setAttribute('role', 'alert')
  message.textContent = error instanceof Error ? error.message : String(error)
  api.replaceChildren(message)
}

async function read(): Promise<OpenApiDocument> {
  const response = await fetch(openapi)
  if (response.ok) return response.json()
  const why = response.status === 401 ? 'sign in to the app in this browser first' : 'reload the page to try again'
  throw new Error(`The description of the app could not be read (status ${response.status}): ${why}.`)
}

/** Swagger UI warns of any other dialect than the one of OpenAPI, which is what ours is with additions. */
function show({ jsonSchemaDialect: _, ...description }: OpenApiDocument): void {
  const title = description.info?.title ?? 'API'
  document.title = `${title}: HTTP`
  find('title').textContent = title
  const servers = toServers(description.servers ?? [])
  const domNode = document.createElement('div')
  api.replaceChildren(domNode)
  SwaggerUIBundle({
    spec: { ...description, servers },
    domNode,
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    // Without a server there is nothing that would answer.
    ...(servers.length === 0 && { supportedSubmitMethods: [] }),
  })
}

/** The app that serves this page, below the prefix of a proxy, and those that the document names. */
function toServers(named: readonly Server[]): readonly Server[] {
  if (root === '') return named
  const url = new URL(root, location.href).href.replace(/\/$/, '')
  return [{ url, description: 'This app' }, ...named.filter((server) => server.url.replace(/\/$/, '') !== url)]
}

/** Swagger UI is dark below an element of this class. */
function followColours(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const follow = (): void => void document.documentElement.classList.toggle('dark-mode', dark.matches)
  dark.addEventListener('change', follow)
  follow()
}

export {}
