/** The live page: plain HTML and an EventSource, no build step. */
export const DASHBOARD_PAGE = /* html */ `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Order desk</title>
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent); --soft: color-mix(in srgb, currentColor 60%, transparent); --on: #1a7f4b; --wait: #b7791f; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.05rem; }
  p { margin: .2rem 0 0; color: var(--soft); }
  table { width: 100%; border-collapse: collapse; } th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); }
  th { font-weight: 500; color: var(--soft); font-size: .85rem; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
  .dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--line); margin-right: .5rem; }
  .dot.on { background: var(--on); } .dot.wait { background: var(--wait); }
  form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; } label { font-size: .85rem; color: var(--soft); }
  select, input, button { display: block; font: inherit; padding: .35rem .6rem; border: 1px solid var(--line); border-radius: .4rem; background: transparent; color: inherit; }
  option { color: #000; background: #fff; } button { cursor: pointer; background: var(--on); color: #fff; border-color: transparent; }
  #changes { list-style: none; padding: 0; } #changes li { padding: .35rem 0; border-bottom: 1px solid var(--line); }
  #changes time { color: var(--soft); font-variant-numeric: tabular-nums; margin-right: .6rem; } #state { color: var(--soft); font-size: .85rem; float: right; }
</style>
</head>
<body>
<span id="state"><span class="dot wait" id="live"></span><span id="liveText">connecting</span></span>
<h1>Order desk</h1>
<p>Three shops, a database each, one application. Everything below is live.</p>

<h2>Place an order</h2>
<form id="order">
  <label>Shop <select name="shop" id="shops"></select></label>
  <label>Offer <select name="offer" id="offers"></select></label>
  <label>Pieces <input name="quantity" type="number" min="1" max="100" value="1" size="4"></label>
  <button>Order</button>
</form>
<p id="answer" role="status"></p>

<h2>Shops</h2>
<table><thead><tr><th>Shop</th><th>Database</th><th>Pool</th><th class="n">Orders</th><th class="n">Revenue</th></tr></thead><tbody id="tenants"></tbody></table>

<h2>Pools</h2>
<table><thead><tr><th>Pool</th><th>State</th><th class="n">Sockets</th><th class="n">In use</th><th class="n">Waiting</th><th class="n">At most</th></tr></thead><tbody id="pools"></tbody></table>

<h2>Latest changes</h2>
<ul id="changes"><li id="none"><p>None yet: place an order above, or with one of the printed curl lines.</p></li></ul>

<script>
const $ = (id) => document.getElementById(id);
const STATES = { 0: 'closed', 1: 'open', 2: 'connecting', 3: 'closing' };
const cell = (text, n) => { const td = document.createElement('td'); td.textContent = text; if (n) td.className = 'n'; return td; };
const row = (...cells) => { const tr = document.createElement('tr'); tr.append(...cells); return tr; };
const poolState = (state) => { const td = document.createElement('td'); const dot = document.createElement('span'); dot.className = 'dot' + (state === 1 ? ' on' : state ? ' wait' : ''); td.append(dot, STATES[state]); return td; };
const money = (value) => value.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
let shops = [], stats;

function showPools() {
  const pool = (name, { readyState, poolStats: p }) => row(cell(name), poolState(readyState), cell(p.totalConnections, 1), cell(p.inUseConnections, 1), cell(p.waitQueueSize, 1), cell(p.maxPoolSize, 1));
  $('pools').replaceChildren(pool('shared (catalogue and shops)', stats.primary), ...stats.separateDB.map((s) => pool(s.dbName, s)));
}
async function showTenants() {
  const totals = await Promise.all(shops.map((shop) => fetch('/orders/total', { headers: { 'x-tenant-id': shop.id } }).then((r) => r.json())));
  const own = new Set((stats?.separateDB ?? []).map((s) => s.dbName));
  $('tenants').replaceChildren(...shops.map((shop, i) => row(cell(shop.name), cell('shop_' + shop.id), cell(own.has('shop_' + shop.id) ? 'its own' : 'shared'), cell(totals[i].orders, 1), cell(money(totals[i].revenue), 1))));
}
function showChange(change) {
  $('none')?.remove();
  const li = document.createElement('li'), time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString();
  li.append(time, change.text);
  $('changes').prepend(li);
  while ($('changes').children.length > 20) $('changes').lastChild.remove();
}
function offerOptions() {
  const shop = shops.find((s) => s.id === $('shops').value);
  $('offers').replaceChildren(...(shop?.offers ?? []).map((o) => new Option(o.item + ' · ' + money(o.price), JSON.stringify(o))));
}
$('shops').onchange = offerOptions;
$('order').onsubmit = async (event) => {
  event.preventDefault();
  const form = new FormData(event.target), { item, price } = JSON.parse(form.get('offer'));
  const answer = await fetch('/orders', { method: 'POST', headers: { 'content-type': 'application/json', 'x-tenant-id': form.get('shop') }, body: JSON.stringify({ item, price, quantity: Number(form.get('quantity')) }) });
  const body = await answer.json();
  $('answer').textContent = answer.ok ? 'Ordered: ' + body.quantity + ' × ' + body.item : body.message;
  showTenants();
};
(async () => {
  shops = await fetch('/catalogue').then((r) => r.json());
  $('shops').replaceChildren(...shops.map((s) => new Option(s.name, s.id)));
  offerOptions();
  showTenants();
  const events = new EventSource('/events');
  const live = (on) => { $('live').className = 'dot ' + (on ? 'on' : 'wait'); $('liveText').textContent = on ? 'live' : 'reconnecting'; };
  events.onopen = () => live(true);
  events.onerror = () => live(false);
  events.addEventListener('stats', (e) => { const first = !stats; stats = JSON.parse(e.data); showPools(); if (first) showTenants(); });
  events.addEventListener('change', (e) => { showChange(JSON.parse(e.data)); showTenants(); });
})();
</script>
</body>
</html>
`;
