/** What the exit codes of the program mean: the pages of the manual are printed from this. */
export const EXIT_CODES: readonly (readonly [code: number, says: string])[] = [
  [0, "Done. A relay or a worker was told to stop, and what ran was finished or had its time"],
  [
    1,
    "It failed, or did not find what is wanted: doctor has a problem, config check a mistake, route-test a refusal or something that is not as expected; otherwise a fault of signalbox, which tells so",
  ],
  [
    2,
    "What was asked for cannot be done as asked: a flag, a setting, a file, an address. An error line says what, a hint line what to do",
  ],
  [130, "A second SIGINT (Ctrl-C) ended it before what ran was finished"],
  [143, "A second SIGTERM did"],
];

/** Variables that are no settings. */
export const ENVIRONMENT: readonly (readonly [name: string, says: string])[] = [
  ["SIGNALBOX_CONFIG", "The settings file, as --config names it"],
  [
    "NO_COLOR",
    "Set and not empty: no colours, but where --color always asks for them (https://no-color.org)",
  ],
  ["CI", "Set and not empty: no status line"],
  ["TERM", "dumb: no colours and no status line"],
  [
    "CREDENTIALS_DIRECTORY",
    "Where systemd puts secrets: a file named like the setting, such as worker-secret",
  ],
];
