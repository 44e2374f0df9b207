// A process of its own that scrapes when it is told to, so that reading the answer is no part of what is measured.
import process from 'node:process'

process.on('message', async (url) => {
  const text = await (await fetch(url)).text()
  process.send?.(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length)
})
