import type { CommandWords } from "./command_words.ts";

/** https://learn.microsoft.com/powershell/module/microsoft.powershell.core/register-argumentcompleter, `-Native` */
export function powershellCompletions(program: string, places: readonly CommandWords[]): string {
  const name = program.replaceAll("-", "_");
  return `# PowerShell completion of ${program}
$${name}Places = @(
${places.map(place).join("\n")}
)

Register-ArgumentCompleter -Native -CommandName '${program}' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $typed = ''
    foreach ($word in $words) {
        if ($word.StartsWith('-')) { break }
        $typed += "$word "
    }
    $place = $${name}Places | Where-Object { $_.Path -eq '' -or $typed.StartsWith("$($_.Path) ") } | Select-Object -First 1
    $previous = if ($words.Count -gt 0) { $words[-1] } else { '' }
    $values = $place.Values[$previous]
    # Nothing of its own: PowerShell offers files.
    if ($null -ne $values -and $values.Count -eq 0) { return }
    $offered = if ($null -ne $values) { $values | ForEach-Object { ,@($_, $_) } }
        elseif ($wordToComplete.StartsWith('-') -or $place.Next.Count -eq 0) { $place.Flags }
        else { $place.Next }
    $offered | Where-Object { $_[0].StartsWith($wordToComplete) } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
    }
}
`;
}

/** A comma before a pair keeps PowerShell from taking a list of one pair for its two texts. */
function place({ path, next, flags }: CommandWords): string {
  const pairs = (list: readonly (readonly [string, string])[]) =>
    `@(${list.map(([word, says]) => `\n            ,@(${quoted(word)}, ${quoted(says)})`).join("")})`;
  const values = flags
    .filter(({ placeholder }) => placeholder)
    .map(({ flag, choices }) => `\n            ${quoted(flag)} = @(${choices.map(quoted).join(", ")})`);
  return `    @{
        Path = ${quoted(path)}
        Next = ${pairs(next.map(({ word, says }) => [word, says]))}
        Flags = ${pairs(flags.map(({ flag, says }) => [flag, says]))}
        Values = @{${values.join("")}
        }
    }`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
