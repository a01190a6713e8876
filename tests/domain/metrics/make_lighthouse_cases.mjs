// Writes lighthouse_cases.json: inputs, and what Lighthouse's own modules say of them. In an empty folder:
//
//   npm init -y && npm install --ignore-scripts lh6@npm:lighthouse@6.5.0 lh7@npm:lighthouse@7.5.0 \
//     lh8@npm:lighthouse@8.6.0 lh9@npm:lighthouse@9.6.8 lh10@npm:lighthouse@10.4.0 lh11@npm:lighthouse@11.7.1 \
//     lh12@npm:lighthouse@12.8.2 lh13@npm:lighthouse@13.5.0
//   node make_lighthouse_cases.mjs FOLDER > lighthouse_cases.json
//
// Further arguments, number of score cases a version, of run cases, and the seed, make a larger table.

import {createRequire} from 'node:module';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

const [folder, scoreCases = '25', runCases = '100', seed = '1'] = process.argv.slice(2);
const require = createRequire(import.meta.url);

const METRICS = {
  'first-contentful-paint': 'fcp_ms',
  'speed-index': 'speed_index_ms',
  'largest-contentful-paint': 'lcp_ms',
  'total-blocking-time': 'tbt_ms',
  'cumulative-layout-shift': 'cls',
  'interactive': 'tti_ms',
  'max-potential-fid': 'max_potential_fid_ms',
};

let state = Number(seed);
/** mulberry32: the same table every time. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const pick = choices => choices[Math.floor(random() * choices.length)];

/** A value anywhere on a curve, and now and then exactly where a curve bends. */
function valueOn({p10, median}) {
  const kind = random();
  if (kind < 0.08) return 0;
  if (kind < 0.12) return p10;
  if (kind < 0.16) return median;
  const value = p10 / 6 * (median * 18 / p10) ** random();
  return p10 > 1 && kind < 0.5 ? Math.round(value) : value;
}

/** What a module of one version exports by that name, or, in the versions that are CommonJS, exports alone. */
async function load(root, file, name = 'default') {
  const inside = path.join(root, Number(versionOf(root).split('.')[0]) < 10 ? 'lighthouse-core' : 'core', file);
  const loaded = await import(pathToFileURL(inside).href);
  return loaded[name] ?? loaded.default;
}

const versionOf = root => require(path.resolve(root, 'package.json')).version;

async function scoresOf(root) {
  const major = Number(versionOf(root).split('.')[0]);
  const Audit = await load(root, 'audits/audit.js', 'Audit');
  const ReportScoring = await load(root, 'scoring.js', 'ReportScoring');
  const refs = (await load(root, 'config/default-config.js')).categories.performance.auditRefs;
  const options = {};
  for (const id of Object.keys(METRICS)) options[id] = (await load(root, `audits/metrics/${id}.js`)).defaultOptions;

  return Array.from({length: Number(scoreCases)}, () => {
    const formFactor = pick(['MOBILE', 'DESKTOP']);
    const values = {};
    const scores = {};
    for (const [id, name] of Object.entries(METRICS)) {
      const curve = options[id][formFactor.toLowerCase()]?.scoring ?? options[id];
      values[name] = valueOn(curve);
      scores[name] = Audit.computeLogNormalScore({p10: curve.p10, median: curve.median}, values[name]);
    }
    const weighted = refs.filter(ref => ref.weight > 0);
    const performance = ReportScoring.arithmeticMean(
      weighted.map(ref => ({score: scores[METRICS[ref.id]], weight: ref.weight})));
    return {major, formFactor, values, scores, performance};
  });
}

async function runsOf(root) {
  const computeMedianRun = await load(root, 'lib/median-run.js', 'computeMedianRun');
  return Array.from({length: Number(runCases)}, () => {
    // A coarse grid makes ties.
    const moment = pick([() => 500 + 250 * Math.floor(random() * 6), () => 500 + 4000 * random()]);
    const runs = Array.from({length: 1 + Math.floor(random() * 7)}, () => {
      const fcp = moment();
      return {fcp_ms: fcp, tti_ms: fcp + moment()};
    });
    const results = runs.map(run => ({
      audits: {'first-contentful-paint': {numericValue: run.fcp_ms}, 'interactive': {numericValue: run.tti_ms}},
    }));
    return {runs, index: results.indexOf(computeMedianRun(results))};
  });
}

const roots = [6, 7, 8, 9, 10, 11, 12, 13].map(major => path.join(folder, 'node_modules', `lh${major}`));
const scores = [];
for (const root of roots) scores.push(...await scoresOf(root));
const representative = await runsOf(roots.at(-1));

const lines = cases => cases.map(one => `    ${JSON.stringify(one)}`).join(',\n');
console.log(`{
  "versions": ${JSON.stringify(roots.map(versionOf))},
  "scores": [\n${lines(scores)}\n  ],
  "representative": [\n${lines(representative)}\n  ]
}`);
