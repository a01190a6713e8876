// The Node servers that Pacemark's speed is measured against: `node speed.mjs NAME` over DATABASE_URL.
const SERVERS = {
  apollo: ['apollo'],
  yoga: ['yoga'],
  mercurius: ['mercurius'],
  'mercurius-jit': ['mercurius', { jit: 1 }],
  'mercurius-jit-ours': ['ours'],
  postgraphile: ['postgraphile']
}

const [file, options] = SERVERS[process.argv[2]] ?? []
if (!file || !process.env.DATABASE_URL) {
  console.error(`DATABASE_URL=postgresql://… node speed.mjs ${Object.keys(SERVERS).join(' | ')}`)
  process.exit(2)
}
const { serve } = await import(`./speed/${file}.mjs`)
console.log(`ready ${await serve(options)}`)
