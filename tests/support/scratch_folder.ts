import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder of a test's own, gone with it: `using`. Its files by their paths in it. */
export class ScratchFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "signalbox-test-"));

  at(path: string): string {
    return join(this.path, path);
  }

  has(path: string): boolean {
    return existsSync(this.at(path));
  }

  read(path: string): string {
    return readFileSync(this.at(path), "utf8");
  }

  /** Gives where it is. */
  write(path: string, text: string, mode?: number): string {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text, { mode });
    return this.at(path);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
