import { type Fields, isFields } from './json.ts'

export interface Documents {
  readonly openapi: Fields | null
  readonly asyncapi: Fields | null
  /** The address of the app, without a slash at its end; null where only the documents are served. */
  readonly root: string | null
  /** The other page; null for none. */
  readonly httpPage: string | null
}

/** Reads the documents that `<html data-openapi data-asyncapi>` names. Rejects with a message for people if neither can be read. */
export async function loadDocuments({ dataset, baseURI }: HTMLElement): Promise<Documents> {
  const { openapi = '', asyncapi = '', root = '.', http = '' } = dataset
  const read = async (address: string): Promise<Found> => {
    if (address === '') return { document: null, error: null }
    return readDocument(new URL(address, baseURI))
  }
  const [one, other] = await Promise.all([read(openapi), read(asyncapi)])
  if (one.document === null && other.document === null)
    throw new Error(one.error ?? other.error ?? 'This page does not say where the description of an app is')
  return {
    openapi: one.document,
    asyncapi: other.document,
    root: root === '' ? null : new URL(root, baseURI).href.replace(/\/$/, ''),
    httpPage: http === '' ? null : http,
  }
}

interface Found {
  readonly document: Fields | null
  readonly error: string | null
}

async function readDocument(url: URL): Promise<Found> {
  try {
    const response = await fetch(url, { headers: { accept: 'application/json' } })
    if (!response.ok) return { document: null, error: `${url.pathname} is answered with ${response.status}` }
    const document: unknown = await response.json()
    return isFields(document)
      ? { document, error: null }
      : { document: null, error: `${url.pathname} is not an object` }
  } catch (error) {
    return { document: null, error: `${url.pathname} cannot be read: ${error instanceof Error ? error.message : ''}` }
  }
}
