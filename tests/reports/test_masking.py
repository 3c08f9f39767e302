from __future__ import annotations

import pytest

from audit_service.reports.masking import masked_name, masked_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王小明", "王*明"),
        ("王明", "王*"),
        ("王", "*"),
        ("欧阳娜娜", "欧**娜"),
        ("䶮小五", "䶮*五"),
        ("John Smith", "J*** S****"),
        ("Li", "L*"),
        ("阿卜杜 拉合曼", "阿** 拉**"),
        ("", ""),
    ],
)
def test_names_are_masked_in_the_middle(name, masked):
    assert masked_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"), [("+8613900000001", "****0001"), ("138-0000-1234", "****1234"), ("110", "****"), ("", "")]
)
def test_phones_keep_four_digits(phone, masked):
    assert masked_phone(phone) == masked
