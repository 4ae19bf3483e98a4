import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ADMIN_TOKEN, endRelay, startRelay } from "../support/admin_view.ts";
import { launchBrowser, NO_BROWSER, watchPage } from "../support/browser.ts";
import { canMakeCertificates, makeCertificates } from "../support/certificates.ts";
import { FRONTS } from "../support/front.ts";
import { lacks } from "../support/tools.ts";

/** The dashboard in a real browser that does not sit beside the relay: through a proxy, and when the relay goes. */

describe("the dashboard from afar", { skip: NO_BROWSER ?? false, timeout: 60_000 }, () => {
  let browser: Browser;

  before(async () => {
    if (!NO_BROWSER) browser = await launchBrowser();
  });

  after(() => browser?.close());

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  async function openSignedIn(url: string) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const seen = watchPage(page, new URL(url).origin);
    await page.goto(`${url}/dashboard`);
    await page.getByLabel("Admin token").fill(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.getByText("No worker is connected.").waitFor();
    return { context, page, seen };
  }

  for (const [name, startFront] of Object.entries(FRONTS)) {
    const lacking = lacks(name) ?? (canMakeCertificates() ? undefined : "needs openssl");
    test(`through ${name}, which does TLS`, { skip: lacking ?? false }, async () => {
      const relay = await startRelay(["--trusted-proxy=127.0.0.1/32"]);
      await using front = await startFront({ relayPort: relay.port, certificate: makeCertificates().good });
      const { context, page, seen } = await openSignedIn(front.url);
      const [cookie] = await context.cookies();
      assert.deepEqual([cookie?.secure, cookie?.httpOnly, cookie?.sameSite], [true, true, "Strict"]);
      await page.getByRole("button", { name: "Ask" }).click();
      await page.getByText("Refused: 404").waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByLabel("Admin token").waitFor();
      assert.deepEqual(seen, []);
      await endRelay(relay);
    });
  }

  test("it says that the relay does not answer, and asks who signs in again after a restart", async () => {
    const relay = await startRelay();
    const { page } = await openSignedIn(relay.url);
    await relay.kill();
    await page.getByRole("status").filter({ hasText: "No answer for" }).waitFor();
    await using _ = await startRelay(["--listen", `127.0.0.1:${relay.port}`]);
    await page.getByLabel("Admin token").waitFor();
  });
});
