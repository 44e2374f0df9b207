// The page, then the application: `tsx watch` runs both again when a file of either has changed.
import './build-page.ts'
import '../src/main.ts'
