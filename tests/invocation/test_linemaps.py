"""Lines of TypeScript files are found again behind the transform."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invocation.linemaps import line_map
from runtime.sandbox.typescript import strip_types

SOURCE = """
import type { Gone } from './gone';
import { kept } from './kept'; // a comment

/** A long
 *  comment. */
interface Shape<T> {
  key: string;
  call(value: T): Promise<void>; // MARK in a type does not count
}

type Many =
  | 'one'
  | 'two';

enum Colour {
  Red = 1,
  Green,
}

declare const outside: number;

export class Box<T extends Shape<string>> {
  private readonly items: T[] = [];

  constructor(
    public readonly name: string,
    private limit?: number,
  ) {
    this.items.push(MARK1 as unknown as T);
  }

  public async add(this: Box<T>, item: T, ...more: Array<T | undefined>): Promise<number> {
    const key: string = item.key!;
    if (key === `a ${key as string} b`) {
      throw new MARK2(key);
    }
    return (<number>(MARK3 as any)) + (this.limit ?? 0);
  }
}

function overloaded(a: string): string;
function overloaded(a: number): number;
function overloaded(a: any): any {
  return MARK4(a, Colour.Green satisfies number);
}

abstract class Base {
  abstract later(): void;
  now(): void {
    MARK5();
  }
}

export default async ({ a, b }: { a: number; b?: string }): Promise<Shape<string> | null> => {
  return MARK6(a, b, overloaded('x'), kept);
};
"""
MARKS = [f"MARK{at}" for at in range(1, 7)]


def line_of(text: str, mark: str) -> int:
    return next(at for at, line in enumerate(text.split("\n"), start=1) if mark in line)


@pytest.mark.parametrize("mark", MARKS)
def test_every_statement_is_found_on_its_line(mark: str) -> None:
    output = strip_types("a.ts", SOURCE)
    assert line_of(output, mark) != line_of(SOURCE, mark)
    assert line_map(SOURCE, output)[line_of(output, mark) - 1] == line_of(SOURCE, mark)


def test_a_text_is_its_own_map() -> None:
    text = "const a = 1;\n\nconst b = a;\n"
    assert line_map(text, text) == (1, 1, 3, 3)
    assert line_map("", "") == (0,)
    assert line_map("type A = string;", "export {};\n") == (0, 0)


@given(st.text(max_size=80), st.text(max_size=80))
def test_for_any_two_texts_there_is_a_line_for_each_line(source: str, output: str) -> None:
    lines = line_map(source, output)
    assert len(lines) == output.count("\n") + 1
    assert all(0 <= line <= source.count("\n") + 1 for line in lines)
    assert sorted(line for line in lines if line) == [line for line in lines if line]


@pytest.mark.hostile
@pytest.mark.parametrize("words", [["a"], ["a", "b"], ["a", "b", "c", "d"]])
def test_a_file_of_few_words_does_not_cost_its_square(words: list[str]) -> None:
    chance = random.Random(1)
    source, output = (" ".join(chance.choices(words, k=20_000)) for _ in range(2))
    assert line_map(source, output) == (1,)
