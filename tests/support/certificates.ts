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
  const folder = mkdtempSync(join(tmpdir(), "signalbox-certificates-"));
  const at = (name: string) => join(folder, name);
  const read = (name: string) => readFileSync(at(name), "utf8");
  const openssl = (...words: string[]) => execFileSync("openssl", words, { stdio: "ignore" });
  const leaf = (name: string, names: string, days: number): Certificate => {
    const [key, request, cert, extensions] = [`${name}.key`, `${name}.csr`, `${name}.pem`, `${name}.ext`].map(
      at,
    );
    openssl("req", ...NEW_KEY, "-keyout", key!, "-out", request!, "-subj", `/CN=${name}`);
    writeFileSync(
      extensions!,
      `subjectAltName=${names}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n`,
    );
    openssl(
      ...["x509", "-req", "-in", request!, "-out", cert!, "-extfile", extensions!, "-days", String(days)],
      ...["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial"],
    );
    return { certPem: read(`${name}.pem`), keyPem: read(`${name}.key`) };
  };
  try {
    openssl(
      ...[
        "req",
        "-x509",
        ...NEW_KEY,
        "-keyout",
        at("ca.key"),
        "-out",
        at("ca.pem"),
        "-subj",
        "/CN=test authority",
      ],
      ...["-days", "2", "-addext", "keyUsage=critical,keyCertSign"],
    );
    return {
      authorityPem: read("ca.pem"),
      good: leaf("good", GOOD_NAMES, 2),
      renewed: leaf("renewed", GOOD_NAMES, 2),
      otherName: leaf("other", "DNS:other.test", 2),
      expired: leaf("expired", GOOD_NAMES, -1),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
