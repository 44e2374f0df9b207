// What is checked without a server of its own, on each Node.
import './audit-log.js'
import './profiles.js'
import './traces.js'
import './signed-in.js'
import './two-releases.js'
