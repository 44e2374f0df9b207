// The console: reads, and sends.
document.body.textContent = 'Console'

export {}
