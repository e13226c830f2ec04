"""Each spec under must_fail/ is wrong just where its comments say so."""

import unittest

from support import MUST_FAIL, expectations, findings, how_to_load, load_spec
from atspec.diag import CODES


class MustFail(unittest.TestCase):
    def test_each(self) -> None:
        for path in sorted(MUST_FAIL.glob("*.yaml")):
            with self.subTest(path.name):
                wanted = expectations(path)
                alone = any(code == "E015" for _, code, _ in wanted)
                spec, diagnostics = load_spec(str(path), not alone, **how_to_load(path))
                self.assertTrue(wanted, "the spec expects nothing")
                self.assertEqual(findings(diagnostics), wanted, "\n" + "\n".join(map(str, diagnostics)))
                self.assertEqual(spec is None, any(code[0] == "E" for _, code, _ in wanted))

    def test_every_code_is_provoked(self) -> None:
        provoked = {code for path in MUST_FAIL.glob("*.yaml") for _, code, _ in expectations(path)}
        self.assertEqual(provoked, set(CODES))

    def test_every_code_has_a_title_and_a_hint(self) -> None:
        for code, (title, hint) in CODES.items():
            self.assertRegex(code, r"^[EW]\d{3}$")
            self.assertTrue(title and hint, code)


if __name__ == "__main__":
    unittest.main()
