import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { ADMIN_TOKEN, endRelay, startRelay } from "../support/admin_view.ts";
import { launchBrowser, NO_BROWSER, watchPage } from "../support/browser.ts";
import type { RelayProgram } from "../support/program.ts";
import { ScriptedWorker } from "../support/scripted_worker.ts";
import { until } from "../support/until.ts";

/** The dashboard in a real browser, with a worker that calls itself and all that it has by what would run as markup. */

const MARKUP = '<img src=x onerror="window.ran=1;alert(1)">';
const SCRIPT = "</td><script>window.ran=1;alert(2)</script>";

/** What the page does takes a fraction of a second: who waits longer learns what is missing. */
const PATIENCE_MS = 8_000;

describe("the dashboard in a browser", { skip: NO_BROWSER ?? false, timeout: 60_000 }, () => {
  let browser: Browser;
  let relay: RelayProgram;
  let hostile: ScriptedWorker;
  let honest: ScriptedWorker;

  before(async () => {
    if (NO_BROWSER) return;
    browser = await launchBrowser();
    relay = await startRelay();
    hostile = await ScriptedWorker.connect(relay.url, {
      query: `?provider=${encodeURIComponent(MARKUP)}`,
      register: {
        worker_name: MARKUP,
        models: [MARKUP, SCRIPT],
        endpoint_prefixes: ["/v1", `/${encodeURIComponent(SCRIPT)}`],
        labels: { quantization: "fp16", supported_parameters: [MARKUP] },
      },
    });
    honest = await ScriptedWorker.connect(relay.url, {
      query: "?provider=home",
      register: { worker_name: "attic", models: ["llama3"], max_concurrent: 4, labels: { zdr: true } },
      serve: (request) => request.answer(200, "{}"),
    });
  });

  after(async () => {
    await browser?.close();
    await hostile?.[Symbol.asyncDispose]();
    await honest?.[Symbol.asyncDispose]();
    if (relay) await endRelay(relay);
  });

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  /** A page of a browser that was never here, at the form. */
  async function openPage({ url = relay.url, ...options }: BrowserContextOptions & { url?: string } = {}) {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const seen = watchPage(page, url);
    await page.goto(`${url}/dashboard`);
    return { page, seen };
  }

  /** With the keyboard alone. */
  async function signIn(page: Page, token = ADMIN_TOKEN): Promise<void> {
    await page.keyboard.type(token);
    await page.keyboard.press("Enter");
  }

  async function openSignedIn(options?: Parameters<typeof openPage>[0]) {
    const opened = await openPage(options);
    await signIn(opened.page);
    await opened.page.getByRole("row", { name: "attic" }).first().waitFor();
    return opened;
  }

  const workerRow = (page: Page, name: string) =>
    page.getByRole("table", { name: "Workers" }).getByRole("row").filter({ hasText: name });

  test("a wrong token is told, the right one opens the page, and a script sees no cookie", async () => {
    const { page, seen } = await openPage();
    await signIn(page, "wrong");
    await page.getByRole("alert").filter({ hasText: "not the admin token" }).waitFor();
    assert.equal(await page.locator("table").count(), 0);
    // What was typed is selected: the next word replaces it.
    await signIn(page);
    await workerRow(page, "attic").waitFor();
    assert.equal(await page.evaluate("document.cookie"), "");
    assert.deepEqual(seen, [
      "Failed to load resource: the server responded with a status of 403 (Forbidden)",
    ]);
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.path], [true, "Strict", "/"]);
  });

  test("what workers call themselves is shown as it is, and nothing of it runs", async () => {
    const { page, seen } = await openSignedIn();
    const row = await workerRow(page, MARKUP).textContent();
    for (const text of [MARKUP, SCRIPT]) assert.ok(row?.includes(text), row!);
    const models = await page.getByRole("table", { name: "Models" }).textContent();
    assert.ok(models?.includes(MARKUP) && models.includes(SCRIPT), models!);
    await page.getByLabel("Model", { exact: true }).fill(MARKUP);
    await page.getByRole("button", { name: "Ask" }).click();
    await page.getByText(`It would go to ${MARKUP}`).waitFor();
    assert.equal(await page.locator("img, td script, th script").count(), 0);
    assert.equal(await page.evaluate("window.ran"), undefined);
    assert.deepEqual(seen, []);
  });

  test("nothing is asked of a worker or of another host, not even an icon", async () => {
    const { page, seen } = await openSignedIn();
    await page.reload();
    await workerRow(page, "attic").waitFor();
    assert.deepEqual(seen, []);
    assert.deepEqual([...hostile.requests, ...honest.requests], []);
  });

  test("the policy holds: no text becomes markup, no other script runs, nobody frames the page", async () => {
    const { page } = await openSignedIn();
    const run = (script: string) => page.evaluate(script).then(String, (error: Error) => error.message);
    assert.match(await run(`document.body.innerHTML = ${JSON.stringify(MARKUP)}`), /TrustedHTML/);
    const inline =
      "{ const s = document.createElement('script'); s.append('window.ran=1'); document.body.append(s) }";
    await run(inline);
    assert.equal(await run("window.ran"), "undefined");
    assert.match(await run("fetch('http://127.0.0.1:1/').then(() => 'sent')"), /Failed to fetch/);
    const other = await page.context().newPage();
    await other.setContent(`<iframe src="${relay.url}/dashboard"></iframe>`);
    await until(() => other.frames()[1]?.url() === "chrome-error://chromewebdata/", "the frame is refused");
  });

  test("it looks again every two seconds while it is seen, and not while it is hidden", async () => {
    const { page } = await openPage();
    await page.clock.install();
    await page.reload();
    await signIn(page);
    await workerRow(page, "attic").waitFor();
    const looks = () => page.getByRole("status").textContent();
    assert.equal(await looks(), "Live");
    await using _ = await ScriptedWorker.connect(relay.url, { register: { worker_name: "newcomer" } });
    await page.clock.runFor(2_000);
    await workerRow(page, "newcomer").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const hide = (isHidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await hide(true);
    await page.clock.runFor(60_000);
    assert.deepEqual(asked, []);
    await hide(false);
    await until(() => asked.length === 3, "a page that is seen again looks at once");
  });

  test("the form asks where a request would go, and says what is wrong with it", async () => {
    const { page, seen } = await openSignedIn();
    const ask = async (model: string, preferences: string) => {
      await page.getByLabel("Model", { exact: true }).fill(model);
      await page.getByLabel("Provider preferences").fill(preferences);
      await page.getByLabel("Provider preferences").press("Tab");
      await page.keyboard.press("Enter");
    };
    await ask("llama3", '{ "only": ["home"] }');
    await page.getByText("It would go to attic (home) with llama3.").waitFor();
    const rejected = page.getByRole("table", { name: "Rejected" });
    assert.match((await rejected.textContent())!, /modelwanted "llama3"/);
    await ask("llama3", '{ "only": ["nobody"] }');
    await page.getByText("Refused: 404 no_eligible_worker").waitFor();
    assert.match((await rejected.textContent())!, /attic.*only/);
    assert.deepEqual(seen, []);
    await ask("llama3", "{");
    await page.getByText("The preferences are not JSON").waitFor();
    await ask("llama3", '{ "only": 5 }');
    await page.getByText(/only.*(?:list|text)/).waitFor();
  });

  test("requests are counted by what became of them", async () => {
    const { page } = await openSignedIn();
    const chat = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"model":"llama3"}',
    };
    assert.equal((await fetch(`${relay.url}/v1/chat/completions`, chat)).status, 200);
    const results = page.getByRole("table", { name: "What became of requests" });
    await results.getByRole("row", { name: /^200/ }).waitFor();
    assert.notEqual(await page.locator("#rate-chart .rate").getAttribute("d"), null);
    honest.requests.length = 0;
  });

  test("signing out leads back to the form, for other tabs too", async () => {
    const { page } = await openSignedIn();
    const other = await page.context().newPage();
    await other.goto(`${relay.url}/dashboard`);
    await workerRow(other, "attic").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    for (const tab of [page, other]) await tab.getByLabel("Admin token").waitFor();
  });

  // Browsers say `Sec-Fetch-Site` to nobody there, and the page's own policy hides its address.
  test("it works without TLS on a name that is not this machine's", async () => {
    const { page, seen } = await openSignedIn({ url: relay.url.replace("127.0.0.1", "relay.test") });
    await page.getByRole("button", { name: "Ask" }).click();
    await page.getByText("It would go to").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin token").waitFor();
    // There browsers heed no such header, and say so.
    assert.deepEqual(
      seen.filter((text) => !text.startsWith("The Cross-Origin-Opener-Policy header has been ignored")),
      [],
    );
  });

  test("on a narrow screen only tables scroll, and dark is dark", async () => {
    const grounds = new Set<string>();
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await openSignedIn({ colorScheme, viewport: { width: 360, height: 740 } });
      assert.equal(await page.evaluate<number>("document.documentElement.scrollWidth"), 360);
      grounds.add(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor"));
    }
    assert.deepEqual([...grounds], ["rgb(245, 246, 248)", "rgb(16, 19, 23)"]);
  });
});
