import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  certPem: string;
  keyPem: string;
}

/** Certificates made for one test run, by an authority that nobody trusts unless told to. */
export interface TestCertificates {
  authorityPem: string;
  /** For localhost, good.test, 127.0.0.1 and ::1. */
  good: Certificate;
  /** As good as `good`, with another key and serial number. */
  renewed: Certificate;
  /** For other.test only. */
  otherName: Certificate;
  /** Like `good`, until yesterday. */
  expired: Certificate;
}

const GOOD_NAMES = "DNS:localhost,DNS:good.test,IP:127.0.0.1,IP:::1";
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Whether `openssl`, which makes them, is there. */
export function canMakeCertificates(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export function makeCertificates(): TestCertificates {
  using authority = new TestAuthority();
  return {
    authorityPem: authority.pem,
    good: authority.issue("good", GOOD_NAMES),
    renewed: authority.issue("renewed", GOOD_NAMES),
    otherName: authority.issue("other", "DNS:other.test"),
    expired: authority.issue("expired", GOOD_NAMES, -1),
  };
}

/** An authority, and its certificate: `pem`. */
export class TestAuthority implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "signalbox-certificates-"));
  readonly pem: string;

  constructor() {
    const subject = ["-subj", "/CN=test authority", "-days", "2", "-addext", "keyUsage=critical,keyCertSign"];
    openssl(
      "req",
      "-x509",
      ...NEW_KEY,
      "-keyout",
      this.#at("ca.key"),
      "-out",
      this.#at("ca.pem"),
      ...subject,
    );
    this.pem = readFileSync(this.#at("ca.pem"), "utf8");
  }

  /** `names` as in `subjectAltName`: `DNS:a.test,IP:127.0.0.1`. A negative number of days: it has expired. */
  issue(name: string, names: string, days = 2): Certificate {
    const [key, request, cert, extensions] = ["key", "csr", "pem", "ext"].map((end) =>
      this.#at(`${name}.${end}`),
    ) as [string, string, string, string];
    openssl("req", ...NEW_KEY, "-keyout", key, "-out", request, "-subj", `/CN=${name}`);
    writeFileSync(
      extensions,
      `subjectAltName=${names}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n`,
    );
    openssl(
      ...["x509", "-req", "-in", request, "-out", cert, "-extfile", extensions, "-days", String(days)],
      ...["-CA", this.#at("ca.pem"), "-CAkey", this.#at("ca.key"), "-CAcreateserial"],
    );
    return { certPem: readFileSync(cert, "utf8"), keyPem: readFileSync(key, "utf8") };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  #at(name: string): string {
    return join(this.#folder, name);
  }
}

function openssl(...words: string[]): void {
  execFileSync("openssl", words, { stdio: "ignore" });
}
