/** One binary that may be patched, and what must come out. */
export interface CompatEntry {
  /** sha256 of the file as it was published. */
  readonly source: string
  /** sha256 of the copy that `bindToOlderGlibc` makes of it. */
  readonly result: string
  /** The oldest version of glibc's symbols on that architecture, which every copy of glibc has. */
  readonly oldVersion: string
  /** Whether the copy has been run; one that has not is refused. */
  readonly ran: boolean
}

/** By file name: `@btc-vision/uwebsockets.js` 20.57.0, Node 20 (115), 22 (127) and 24 (137). */
export const compatTable: Readonly<Record<string, CompatEntry>> = {
  'uws_linux_x64_115.node': {
    source: '5b126ee00bf754b02e97e4c27090365a8562c5820c93f93918ac2212d4503e91',
    result: '0b40a7ff2a1e1d38e8d34ac9b69bf5cf757fcbbbe56fe3bc981ee5c664ebf314',
    oldVersion: 'GLIBC_2.2.5',
    ran: true,
  },
  'uws_linux_x64_127.node': {
    source: '4b55b1f2cb7a7913febbb65a89496412b96af77e838552980092ba6b33723aac',
    result: '65537716292c5b3d9ee617914eeed1e4496f092f001c33504e8a9a0f12780f59',
    oldVersion: 'GLIBC_2.2.5',
    ran: true,
  },
  'uws_linux_x64_137.node': {
    source: '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
    result: '2630bb59236deeadf501d6abaf79c1a655b4a0b78579fba408eea84d1a30f6ca',
    oldVersion: 'GLIBC_2.2.5',
    ran: true,
  },
  'uws_linux_arm64_115.node': {
    source: '6bdbc8ff976b4371af1906175e9025804bacc38a414969f4f02314e6b99f206c',
    result: 'eaa12cdd49c20a8fb1485dc055cc141ae85b64e2db245630085f93fec9e6601d',
    oldVersion: 'GLIBC_2.17',
    ran: false,
  },
  'uws_linux_arm64_127.node': {
    source: '82b79bd18d1e3563de336156005bd01b7f39fc387b65173d69a29da4ee79f895',
    result: '9f8b29f1112b1e27138abd232d8cfbef4a405d5633625f38d19dba7d759a4c0b',
    oldVersion: 'GLIBC_2.17',
    ran: false,
  },
  'uws_linux_arm64_137.node': {
    source: '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce',
    result: '50691cb2ed74d2e1711806a07a3f3c6419db5fd63d776c171912f9c097fd270a',
    oldVersion: 'GLIBC_2.17',
    ran: false,
  },
}
