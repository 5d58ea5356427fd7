"""Invented people: surnames and first names to combine. No entry stands for anybody."""

from __future__ import annotations

_BEGIN = ("Ash", "Bram", "Cald", "Dray", "Elm", "Farn", "Glen", "Had", "Ing", "Kel", "Lang", "Mar", "Nor", "Oak",
          "Pen", "Rad", "Stan", "Thorn", "Wal", "Wex")
_END = ("bourne", "combe", "croft", "den", "field", "ford", "ham", "hurst", "ley", "low", "more", "ridge", "stead",
        "ton", "wick", "worth")

SURNAMES = tuple((begin + end).upper() for begin in _BEGIN for end in _END)
_FEMALE = (
    "Ada Agnes Alice Amelia Amy Anita Anna Asha Beatrice Bella Bridget Carol Cara Charlotte Chloe Clara Dawn Diana "
    "Edith Elena Eliza Ella Emily Emma Erin Esme Eva Farah Fiona Flora Freya Gemma Grace Hana Hannah Harriet Hazel "
    "Heidi Helen Ida Imogen Ines Irene Isla Ivy Jane Jasmine Joan Josie Judith Julia Kate Keira Laila Laura Leah "
    "Lena Lily Linda Lois Lucy Mabel Maeve Maria Martha Mary Maya Megan Mia Mina Mira Molly Nadia Nancy Naomi Nell "
    "Nina Nora Olive Olga Orla Pearl Petra Phoebe Polly Priya Rhona Rosa Ruby Ruth Sara Sian Sofia Stella Tara Tessa "
    "Thea Tilda Una Vera Violet Wanda Yasmin Zara Zoe")
_MALE = (
    "Aaron Adam Adrian Ahmed Alan Albert Alec Alfie Amir Andrew Angus Anton Archie Arjun Arthur Ben Bernard Boris "
    "Brian Bruno Callum Carl Cecil Colin Conor Craig Cyril Daniel David Dean Derek Dilip Dylan Edgar Edwin Eric Ernest "
    "Ethan Euan Evan Felix Finn Frank Fred Gareth Gavin George Giles Glyn Graham Harry Harvey Hector Henry Hugh Hugo "
    "Ian Isaac Ivan Ivor Jack Jacob James Jamil Jason Joel John Jonah Joseph Karim Keith Kevin Kiran Lance Leo Leon "
    "Liam Louis Luke Mark Martin Max Miles Mohan Neil Niall Noah Noel Oliver Omar Oscar Owen Paul Peter Philip Ralph "
    "Ravi Reuben Rhys Robert Rory Sam Sean")
FEMALE, MALE = tuple(_FEMALE.upper().split()), tuple(_MALE.upper().split())
FIRST_NAMES = min(len(FEMALE), len(MALE))
NAMES = len(SURNAMES) * FIRST_NAMES
